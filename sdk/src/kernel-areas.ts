// Names that no module can have: the first segment of a path is a module or one of these, and some are kept for later.
// `constructor` is JavaScript's own: whoever looks for a module of that name in an object finds a function.

export const KERNEL_AREAS: readonly string[] = [
  'admin',
  'api',
  'auth',
  'console',
  'constructor',
  'docs',
  'events',
  'files',
  'health',
  'jobs',
  'kernel',
  'marketplace',
  'me',
  'metrics',
  'openapi',
  'operator',
  'plinth',
  'public',
  'search',
  'system',
  'tenant',
  'tenants',
  'v1',
  'webhooks',
]
