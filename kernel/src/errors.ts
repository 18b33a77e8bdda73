// Every error the kernel can answer with: code, HTTP status, log level and message, declared once.
// docs/errors.md is checked against this table. Codes are wire names: they never change and are never reused.

import { defineError, type ErrorDefinition, PlinthError } from './plinth-error.ts'
import { requestErrors } from './request-errors.ts'

export {
  type ErrorDefinition,
  type ErrorLevel,
  type FieldError,
  isPlinthError,
  PlinthError,
} from './plinth-error.ts'

// better-auth refuses with its own status and code; they are data here, so that the table stays complete.
function defineIdentityError(): ErrorDefinition<{ status: number; code: string; reason: string }> {
  const code = 'IDENTITY_REFUSED'
  const make = (data: { status: number; code: string; reason: string }, cause?: unknown) =>
    new PlinthError(code, data.status, 'info', data.reason, { reason: data.code }, cause)
  return Object.assign(make, { code, status: 400 })
}

type Nothing = Record<string, never>

export const errors = {
  // 400 and 422: what the caller sent
  badRequest: defineError<{ reason: string }>('REQUEST_MALFORMED', 400, 'info', (d) => d.reason),
  ...requestErrors,
  bodyTooLarge: defineError<{ limit: number }>(
    'BODY_TOO_LARGE',
    413,
    'info',
    (d) => `The request body is larger than ${d.limit} bytes.`,
  ),
  mediaType: defineError<Nothing>(
    'MEDIA_TYPE_UNSUPPORTED',
    415,
    'info',
    () => 'Send the body as application/json.',
  ),
  cursorInvalid: defineError<Nothing>(
    'CURSOR_INVALID',
    400,
    'info',
    () => 'The cursor is not one this list gave out. Start again without it.',
  ),
  // 401 and 403: who the caller is and what he may do
  unauthenticated: defineError<Nothing>(
    'UNAUTHENTICATED',
    401,
    'info',
    () => 'Sign in first and send the token as "Authorization: Bearer <token>".',
  ),
  identityRefused: defineIdentityError(),
  operatorRequired: defineError<Nothing>(
    'OPERATOR_REQUIRED',
    401,
    'info',
    () => 'This is for the operator. Send the operator token as "Authorization: Bearer <token>".',
  ),
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
  moduleNotEnabled: defineError<{ module: string }>(
    'MODULE_NOT_ENABLED',
    403,
    'info',
    (d) => `Module '${d.module}' is not enabled for your account. Please upgrade your subscription.`,
  ),
  forbidden: defineError<{ permission: string }>(
    'FORBIDDEN',
    403,
    'info',
    (d) => `You lack the permission '${d.permission}'.`,
  ),
  // 404, 409, 412: the thing itself
  routeNotFound: defineError<{ method: string; path: string }>(
    'ROUTE_NOT_FOUND',
    404,
    'info',
    (d) => `There is no ${d.method} ${d.path}.`,
  ),
  recordNotFound: defineError<{ entity: string; id: string }>(
    'RECORD_NOT_FOUND',
    404,
    'info',
    (d) => `There is no ${d.entity} '${d.id}'.`,
  ),
  recordConflict: defineError<{ entity: string; fields: readonly string[] }>(
    'RECORD_CONFLICT',
    409,
    'info',
    (d) => `Another ${d.entity} has the same ${d.fields.join(' and ')}.`,
  ),
  recordInUse: defineError<{ entity: string; id: string }>(
    'RECORD_IN_USE',
    409,
    'info',
    (d) => `The ${d.entity} '${d.id}' is used by other records and cannot be deleted.`,
  ),
  recordImmutable: defineError<{ entity: string; id: string; state: string }>(
    'RECORD_IMMUTABLE',
    409,
    'info',
    (d) => `The ${d.entity} '${d.id}' is ${d.state} and can no longer be changed or deleted.`,
  ),
  transitionInvalid: defineError<{ entity: string; from: string; to: string; allowed: readonly string[] }>(
    'TRANSITION_INVALID',
    409,
    'info',
    (d) =>
      `A ${d.entity} that is '${d.from}' cannot become '${d.to}'. From here: ${d.allowed.join(', ') || 'nothing'}.`,
  ),
  lastOwner: defineError<Nothing>(
    'LAST_OWNER',
    409,
    'info',
    () => 'A tenant keeps at least one owner. Make somebody else an owner first.',
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
  versionConflict: defineError<{ entity: string; id: string; version: number }>(
    'VERSION_CONFLICT',
    412,
    'info',
    (d) => `The ${d.entity} '${d.id}' is at version ${d.version} now. Read it again and repeat the change.`,
  ),
  writeConflict: defineError<Nothing>(
    'WRITE_CONFLICT',
    409,
    'info',
    () => 'Another request changed the same records at the same time. Try again.',
  ),
  // what an operator asked for
  pluginNotFound: defineError<{ module: string }>(
    'PLUGIN_NOT_FOUND',
    404,
    'info',
    (d) => `No plugin that provides the module '${d.module}' is installed. See GET /v1/operator/plugins.`,
  ),
  pluginInstalled: defineError<{ module: string; package: string }>(
    'PLUGIN_INSTALLED',
    409,
    'info',
    (d) => `The module '${d.module}' is provided by ${d.package} already. Upgrade it instead.`,
  ),
  pluginInUse: defineError<{ module: string; tenants: number }>(
    'PLUGIN_IN_USE',
    409,
    'info',
    (d) =>
      `${d.tenants} tenants have the module '${d.module}' enabled. Send "force": true to switch it off for them.`,
  ),
  pluginChange: defineError<{ module: string; reason: string }>(
    'PLUGIN_CHANGE_REFUSED',
    409,
    'info',
    (d) => d.reason,
  ),
  moduleNeeds: defineError<{ module: string; needs: readonly string[] }>(
    'MODULE_NEEDS_UNMET',
    409,
    'info',
    (d) => d.needs.join(' '),
  ),
  operationUnderWay: defineError<{ subject: string }>(
    'OPERATION_UNDER_WAY',
    409,
    'info',
    (d) => `Another operation on '${d.subject}' has not ended. See GET /v1/operator/operations.`,
  ),
  operationNotFound: defineError<{ id: string }>(
    'OPERATION_NOT_FOUND',
    404,
    'info',
    (d) => `There is no operation '${d.id}'.`,
  ),
  versionNotFound: defineError<{ module: string; version: string }>(
    'VERSION_NOT_FOUND',
    404,
    'info',
    (d) => `The module '${d.module}' has no version ${d.version} in this installation.`,
  ),
  canaryFailed: defineError<{
    module: string
    version: string
    requests: number
    failures: number
    errorRate: number
  }>('CANARY_FAILED', 409, 'warn', (d) =>
    d.requests === 0
      ? `Nobody tried version ${d.version} of '${d.module}'. It was taken back.`
      : `Version ${d.version} of '${d.module}' failed in ${d.failures} of ${d.requests} requests, more than the ${d.errorRate} allowed. It was taken back.`,
  ),
  // a plugin's package
  packageNotFound: defineError<{ package: string; version: string; registry: string }>(
    'PACKAGE_NOT_FOUND',
    404,
    'info',
    (d) => `The registry ${d.registry} has no package '${d.package}' in the version '${d.version}'.`,
  ),
  packageRefused: defineError<{ package: string; version: string; reason: string; detail: string }>(
    'PACKAGE_REFUSED',
    422,
    'warn',
    (d) => `The package '${d.package}' ${d.version} is refused (${d.reason}): ${d.detail}`,
  ),
  registryUnavailable: defineError<{ registry: string; detail: string }>(
    'REGISTRY_UNAVAILABLE',
    503,
    'warn',
    (d) => `The registry ${d.registry} cannot be used: ${d.detail}`,
  ),
  // 5xx: the plugin
  pluginFailed: defineError<{ module: string }>(
    'PLUGIN_FAILED',
    502,
    'error',
    (d) => `The module '${d.module}' failed while handling the request. Nothing was changed.`,
  ),
  pluginDeadline: defineError<{ module: string; limitMs: number }>(
    'PLUGIN_DEADLINE_EXCEEDED',
    504,
    'error',
    (d) => `The module '${d.module}' did not finish within ${d.limitMs} ms. Nothing was changed.`,
  ),
  limitExceeded: defineError<{
    module: string
    limit: string
    used: number
    cap: number
    /** Seconds, for a limit that time lifts. The others would be hit again. */
    retryAfter?: number
  }>(
    'LIMIT_EXCEEDED',
    502,
    'error',
    (d) =>
      `The module '${d.module}' went over its limit '${d.limit}': ${d.used} of ${d.cap}. Nothing was changed.`,
  ),
  /** `retryAfter` in seconds. */
  moduleUnavailable: defineError<{ module: string; retryAfter?: number }>(
    'MODULE_UNAVAILABLE',
    503,
    'warn',
    (d) => `The module '${d.module}' is not available at the moment. Nothing was changed. Try again.`,
  ),
  // what a plugin asked of its broker and may not
  capabilityDenied: defineError<{ module: string; capability: string; reason: string }>(
    'CAPABILITY_DENIED',
    502,
    'warn',
    (d) => `The module '${d.module}' may not use '${d.capability}': ${d.reason}`,
  ),
  sqlRefused: defineError<{ reason: string }>('SQL_REFUSED', 502, 'warn', (d) => `SQL refused: ${d.reason}`),
  // what a fetch met outside; a plugin may catch these
  fetchRefused: defineError<{ reason: string }>(
    'FETCH_REFUSED',
    502,
    'warn',
    (d) => `The fetch was refused: ${d.reason}`,
  ),
  fetchFailed: defineError<{ host: string }>(
    'FETCH_FAILED',
    502,
    'info',
    (d) => `The outside host '${d.host}' could not be reached or gave no usable answer.`,
  ),
  fetchTimeout: defineError<{ host: string; limitMs: number }>(
    'FETCH_TIMEOUT',
    504,
    'info',
    (d) => `The outside host '${d.host}' did not answer in full within ${d.limitMs} ms.`,
  ),
  fetchBusy: defineError<{ module: string }>(
    'FETCH_BUSY',
    503,
    'warn',
    (d) => `The module '${d.module}' cannot fetch now: too many fetches are under way. Try again.`,
  ),
  // 5xx: the kernel
  databaseUnavailable: defineError<Nothing>(
    'DATABASE_UNAVAILABLE',
    503,
    'error',
    () => 'The database does not answer at the moment. Try again.',
  ),
  commitUncertain: defineError<Nothing>(
    'COMMIT_UNCERTAIN',
    503,
    'error',
    () =>
      'The database went away while it was saving: the change may or may not have been saved. Read before you repeat it.',
  ),
  databaseTimeout: defineError<Nothing>(
    'DATABASE_TIMEOUT',
    503,
    'warn',
    () => 'The database took too long over this request and stopped it. Nothing was changed.',
  ),
  answerTooLarge: defineError<{ bytes: number; limit: number }>(
    'DATABASE_ANSWER_TOO_LARGE',
    503,
    'warn',
    (d) =>
      `The database answered with more than ${d.limit} bytes and was cut off. Nothing was changed. Ask for fewer records.`,
  ),
  overloaded: defineError<{ waitedMs: number }>(
    'OVERLOADED',
    503,
    'warn',
    (d) => `No database connection became free within ${d.waitedMs} ms. Try again.`,
  ),
  internal: defineError<Nothing>('INTERNAL', 500, 'error', () => 'Something went wrong on our side.'),
}
