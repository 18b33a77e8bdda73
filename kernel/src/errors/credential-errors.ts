// The rows of errors.ts on API keys, access tokens and single sign-on.
import { defineError } from '../plinth-error.ts'

type Nothing = Record<string, never>

export const credentialErrors = {
  scopeRequired: defineError<{ permission: string }>(
    'SCOPE_REQUIRED',
    403,
    'info',
    (d) =>
      `The key or token you sent is cut to other permissions: '${d.permission}' is not among its scopes.`,
  ),
  personRequired: defineError<Nothing>(
    'PERSON_REQUIRED',
    403,
    'info',
    () =>
      'This takes a session of a person: it belongs to an account and not to a tenant, or would outlive a key. A key, or a token for one tenant or some scopes, does not do.',
  ),
  keyAddressRefused: defineError<Nothing>(
    'KEY_ADDRESS_REFUSED',
    403,
    'warn',
    () => 'The key may not be used from this address.',
  ),
  refreshRefused: defineError<Nothing>(
    'REFRESH_REFUSED',
    401,
    'info',
    () => 'The refresh token is unknown, has expired, or was used before. Sign in again.',
  ),
  ssoNotConfigured: defineError<Nothing>(
    'SSO_NOT_CONFIGURED',
    404,
    'info',
    () => 'There is no single sign-on for this address or tenant.',
  ),
  ssoIssuerRefused: defineError<{ issuer: string; reason: string }>(
    'SSO_ISSUER_REFUSED',
    422,
    'info',
    (d) => `The identity provider '${d.issuer}' cannot be used: ${d.reason}`,
  ),
  ssoFlowUnknown: defineError<Nothing>(
    'SSO_FLOW_UNKNOWN',
    400,
    'info',
    () => 'This sign-in did not begin in this browser, has ended already, or took too long. Start again.',
  ),
  ssoFailed: defineError<{ reason: string }>(
    'SSO_FAILED',
    401,
    'info',
    (d) => `Your identity provider did not sign you in: ${d.reason}`,
  ),
  ssoPersonRefused: defineError<{ reason: string }>(
    'SSO_PERSON_REFUSED',
    403,
    'info',
    (d) => `You are signed in at your identity provider, and not let in here: ${d.reason}`,
  ),
  ssoRequired: defineError<{ start: string }>(
    'SSO_REQUIRED',
    403,
    'info',
    (d) => `This tenant asks you to sign in at its identity provider: GET ${d.start}.`,
  ),
  scimVersionConflict: defineError<{ entity: string; id: string }>(
    'SCIM_VERSION_CONFLICT',
    412,
    'info',
    (d) => `The ${d.entity} '${d.id}' has changed since. Read it again and repeat the change.`,
  ),
  ssoDomainTaken: defineError<{ domain: string }>(
    'SSO_DOMAIN_TAKEN',
    409,
    'info',
    (d) => `The domain '${d.domain}' is verified by another tenant.`,
  ),
  ssoDomainNotVerified: defineError<{ domain: string; record: string; reason: string }>(
    'SSO_DOMAIN_NOT_VERIFIED',
    409,
    'info',
    (d) => `The TXT record ${d.record} does not show yet that '${d.domain}' is yours: ${d.reason}`,
  ),
  keyNotLive: defineError<{ key: string }>(
    'KEY_NOT_LIVE',
    409,
    'info',
    (d) => `The key '${d.key}' was revoked or rotated, or has expired. Make a new one.`,
  ),
  keyLimit: defineError<{ limit: number }>(
    'KEY_LIMIT_REACHED',
    409,
    'info',
    (d) => `There are ${d.limit} keys already. Revoke one first.`,
  ),
}
