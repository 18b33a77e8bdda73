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
    (d) => `The request names different tenants by ${d.sources.join(' and ')}. Name one.`,
  ),
  tenantReadOnly: defineError<{ tenant: string }>(
    'TENANT_READ_ONLY',
    403,
    'info',
    (d) => `The tenant '${d.tenant}' can be read, and nothing in it can be changed.`,
  ),
  tenantSuspended: defineError<{ tenant: string }>(
    'TENANT_SUSPENDED',
    403,
    'info',
    (d) =>
      `The tenant '${d.tenant}' is suspended. Its owner can read why, and have it closed: GET /v1/tenant.`,
  ),
  tenantClosing: defineError<{ tenant: string; eraseAfter: string }>(
    'TENANT_CLOSING',
    403,
    'info',
    (d) =>
      `The tenant '${d.tenant}' is closing: it can be read and exported until ${d.eraseAfter}, and an owner can reopen it.`,
  ),
  tenantClosed: defineError<{ tenant: string }>(
    'TENANT_CLOSED',
    403,
    'info',
    (d) => `The tenant '${d.tenant}' is closed. What it had is being erased or is erased already.`,
  ),
  tenantTransition: defineError<{ from: string; to: string; allowed: readonly string[] }>(
    'TENANT_STATE_REFUSED',
    409,
    'info',
    (d) =>
      `A tenant that is ${d.from} cannot become ${d.to}. It can become ${d.allowed.join(', ') || 'nothing else'}.`,
  ),
  exportUnderWay: defineError<{ tenant: string }>(
    'EXPORT_UNDER_WAY',
    409,
    'info',
    (d) => `The tenant '${d.tenant}' is being exported already. Wait until that has ended.`,
  ),
  domainNotFound: defineError<{ domain: string }>(
    'DOMAIN_NOT_FOUND',
    404,
    'info',
    (d) => `This tenant has not added the domain '${d.domain}'.`,
  ),
  domainTaken: defineError<{ domain: string }>(
    'DOMAIN_TAKEN',
    409,
    'info',
    (d) =>
      `The domain '${d.domain}' is verified for another tenant. It becomes free when that tenant removes it, or three days after its TXT record is gone.`,
  ),
  domainNotVerified: defineError<{ domain: string; record: string; reason: string }>(
    'DOMAIN_NOT_VERIFIED',
    409,
    'info',
    (d) => `The TXT record ${d.record} does not show yet that '${d.domain}' is yours: ${d.reason}`,
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
