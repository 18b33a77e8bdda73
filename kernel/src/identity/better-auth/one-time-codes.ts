// Codes of an authenticator app, and recovery codes, by better-auth's plugin. It hands a sign-in that waits for its code to
// a cookie; here the cookie's value is a token like any other, which the client sends back with the code.
import { errors } from '../../errors.ts'
import type { Arrival } from '../../stages.ts'
import { type BetterAuth, headersOf, refusalOf } from './open-better-auth.ts'

const challengeCookie = 'better-auth.two_factor'
/** A signed cookie's value as better-auth writes it. */
export const challengePattern = '^[A-Za-z0-9%._-]{20,300}$'
/** As long as better-auth locks an account for after ten wrong codes. */
const lockSeconds = 900

export interface VerifiedCode {
  readonly token: string
  readonly user: { readonly id: string; readonly name: string; readonly email: string }
}

export interface OneTimeCodes {
  /** @throws WRONG_PASSWORD, IDENTITY_REFUSED when it is on already */
  setUp(token: string, password: string): Promise<{ uri: string; recoveryCodes: readonly string[] }>
  /** The first code switches it on. The session has another token from then on. @throws WRONG_CODE */
  confirm(token: string, code: string): Promise<string>
  /** Switches it off. The session has another token from then on. @throws WRONG_PASSWORD */
  disable(token: string, password: string): Promise<string>
  /** @throws WRONG_PASSWORD */
  newRecoveryCodes(token: string, password: string): Promise<readonly string[]>
  /** The second step of a sign-in. @throws WRONG_CODE, TOO_MANY_ATTEMPTS */
  verify(
    input: { readonly challenge: string; readonly code: string; readonly isRecovery: boolean },
    origin: Arrival,
  ): Promise<VerifiedCode>
}

const wrongCodes = new Set([
  'INVALID_CODE',
  'INVALID_BACKUP_CODE',
  'INVALID_TWO_FACTOR_COOKIE',
  'TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE',
  'TOTP_NOT_ENABLED',
  'BACKUP_CODES_NOT_ENABLED',
])

function asOurs(error: unknown): never {
  const code = refusalOf(error)
  if (code === 'INVALID_PASSWORD') throw errors.wrongPassword({}, error)
  if (code === 'ACCOUNT_TEMPORARILY_LOCKED') throw errors.tooManyAttempts({ retryAfter: lockSeconds }, error)
  if (code !== undefined && wrongCodes.has(code)) throw errors.wrongCode({}, error)
  throw error
}

/** The challenge of a sign-in that needs a second step, from the cookies of better-auth's answer. */
export function challengeIn(headers: Headers): string {
  for (const cookie of headers.getSetCookie()) {
    const [name, value] = cookie.split(';')[0]?.split('=') ?? []
    if (name === challengeCookie && value) return value
  }
  throw errors.internal({}, new Error('better-auth asked for a second factor without a challenge'))
}

/** The token that a changed session has: the signed one without its signature. */
function tokenIn(headers: Headers): string {
  const [token] = decodeURIComponent(headers.get('set-auth-token') ?? '').split('.')
  if (!token) throw errors.internal({}, new Error('better-auth changed a session without a token'))
  return token
}

export function createOneTimeCodes({ api, translated }: BetterAuth): OneTimeCodes {
  const call = <T>(work: () => Promise<T>): Promise<T> => translated(work).catch(asOurs)
  return {
    async setUp(token, password) {
      const body = { password, method: 'totp' as const }
      const made = await call(() => api.enableTwoFactor({ body, headers: headersOf({ token }) }))
      if (!('totpURI' in made) || !made.totpURI) throw errors.internal({})
      return { uri: made.totpURI, recoveryCodes: made.backupCodes ?? [] }
    },
    async confirm(token, code) {
      const options = { body: { code }, headers: headersOf({ token }), returnHeaders: true as const }
      const { headers } = await call(() => api.verifyTOTP(options))
      // Without the header nothing was changed: it was on already.
      return headers.has('set-auth-token') ? tokenIn(headers) : token
    },
    async disable(token, password) {
      const options = { body: { password }, headers: headersOf({ token }), returnHeaders: true as const }
      const { headers } = await call(() => api.disableTwoFactor(options))
      return tokenIn(headers)
    },
    async newRecoveryCodes(token, password) {
      const made = await call(() =>
        api.generateBackupCodes({ body: { password }, headers: headersOf({ token }) }),
      )
      return made.backupCodes
    },
    async verify({ challenge, code, isRecovery }, origin) {
      const headers = headersOf({ cookie: `${challengeCookie}=${challenge}`, origin })
      const { token, user } = await call(async (): Promise<VerifiedCode> => {
        const answer = isRecovery
          ? await api.verifyBackupCode({ body: { code }, headers })
          : await api.verifyTOTP({ body: { code }, headers })
        return answer as VerifiedCode
      })
      return { token, user: { id: user.id, name: user.name, email: user.email } }
    },
  }
}
