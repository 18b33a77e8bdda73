// The rows of errors.ts on tenants, their members and their modules.
import { defineError } from '../plinth-error.ts'

type Nothing = Record<string, never>

export const tenantErrors = {
  tenantRequired: defineError<Nothing>(
    'TENANT_REQUIRED',
    400,
    'info',
    () => 'Name the tenant with the X-Tenant-ID header (its slug or id).',
  ),
  tenantNotFound: defineError<{ tenant: string }>(
    'TENANT_NOT_FOUND',
    404,
    'info',
    (d) => `There is no tenant '${d.tenant}' that you are a member of.`,
  ),
  tenantMismatch: defineError<{ sources: readonly string[] }>(
    'TENANT_MISMATCH',
    403,
    'info',
    (d) => `The request names two different tenants: by ${d.sources.join(' and by ')}.`,
  ),
  lastOwner: defineError<Nothing>(
    'LAST_OWNER',
    409,
    'info',
    () => 'A tenant keeps at least one owner. Make somebody else an owner first.',
  ),
  moduleNotEnabled: defineError<{ module: string }>(
    'MODULE_NOT_ENABLED',
    403,
    'info',
    (d) => `Module '${d.module}' is not enabled for your account. Please upgrade your subscription.`,
  ),
  moduleNotFound: defineError<{ module: string }>(
    'MODULE_NOT_FOUND',
    404,
    'info',
    (d) => `There is no module '${d.module}' in this installation. See GET /v1/marketplace/modules.`,
  ),
  moduleNotInUse: defineError<{ module: string }>(
    'MODULE_ALREADY_DISABLED',
    404,
    'info',
    (d) => `Module '${d.module}' is not enabled for this tenant.`,
  ),
  moduleAlreadyEnabled: defineError<{ module: string }>(
    'MODULE_ALREADY_ENABLED',
    409,
    'info',
    (d) => `Module '${d.module}' is already enabled for this tenant.`,
  ),
  moduleRequires: defineError<{ module: string; requires: readonly string[] }>(
    'MODULE_REQUIRES_OTHERS',
    409,
    'info',
    (d) => `Module '${d.module}' needs ${d.requires.join(', ')}. Enable these first.`,
  ),
  moduleRequired: defineError<{ module: string; requiredBy: readonly string[] }>(
    'MODULE_REQUIRED_BY_OTHERS',
    409,
    'info',
    (d) => `Module '${d.module}' is needed by ${d.requiredBy.join(', ')}. Disable these first.`,
  ),
  consentRequired: defineError<{ module: string; asks: object }>(
    'CONSENT_REQUIRED',
    409,
    'info',
    (d) =>
      `Module '${d.module}' asks for what an owner or admin must consent to first. Send 'consent' with what 'asks' lists.`,
  ),
  secretNotFound: defineError<{ module: string; secret: string }>(
    'SECRET_NOT_FOUND',
    404,
    'info',
    (d) => `Module '${d.module}' has no secret '${d.secret}'.`,
  ),
  secretNotSet: defineError<{ module: string; secret: string }>(
    'SECRET_NOT_SET',
    409,
    'info',
    (d) =>
      `Module '${d.module}' needs the secret '${d.secret}'. An owner or admin sets it: PUT /v1/tenant/secrets/${d.module}/${d.secret}.`,
  ),
}
