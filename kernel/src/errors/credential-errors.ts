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
      'This belongs to your account and not to a tenant. A key, or a token for one tenant or some scopes, does not reach it.',
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
