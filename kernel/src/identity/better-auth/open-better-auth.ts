// better-auth on the kernel's pool, with the options that Plinth gives it, and its failures as ours. The files of this folder
// and accounts.ts are the only ones that know better-auth.
import { AsyncLocalStorage } from 'node:async_hooks'
import { betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { bearer } from 'better-auth/plugins/bearer'
import { twoFactor } from 'better-auth/plugins/two-factor'
import type pg from 'pg'
import { fromDatabase, isDatabaseFailure } from '../../data/database-failure.ts'
import { errors, isPlinthError } from '../../errors.ts'
import type { Arrival } from '../../stages.ts'
import { longestPassword, shortestPassword } from '../password-policy.ts'

const sessionDays = 7
/** What a trigger of the database says of a session for a person who is disabled. */
const disabledState = 'PL001'
const addressHeader = 'x-plinth-address'

export interface BetterAuthOptions {
  readonly secret: string
  /** Nobody signs in before he has shown that his address is his. */
  readonly requireVerified: boolean
}

/** The part of a pool that better-auth's driver uses; `tell` hears what the database refused or was not there for. */
function watchedPool(pool: pg.Pool, tell: (failure: unknown) => void) {
  const watched = <T>(call: () => Promise<T>): Promise<T> =>
    fromDatabase(call).catch((error: unknown) => {
      if (isPlinthError(error)) tell(error)
      else if (isDatabaseFailure(error) && error.code === disabledState)
        tell(errors.personDisabled({}, error))
      throw error
    })
  return {
    async connect() {
      const client = await watched(() => pool.connect())
      return {
        query: (text: string, values: readonly unknown[]) => watched(() => client.query(text, [...values])),
        release: () => client.release(),
      }
    },
    end: () => pool.end(),
  }
}

/** What the database did during one call. better-auth hides it: behind a 500, a 422, or "no session". */
interface Trouble {
  failure?: unknown
}

/** `pool` connects with search_path identity. */
export function openBetterAuth(pool: pg.Pool, { secret, requireVerified }: BetterAuthOptions) {
  const troubles = new AsyncLocalStorage<Trouble>()
  const auth = betterAuth({
    appName: 'Plinth',
    database: watchedPool(pool, (failure) => {
      const trouble = troubles.getStore()
      if (trouble) trouble.failure ??= failure
    }),
    secret,
    baseURL: 'http://localhost',
    basePath: '/v1/auth',
    emailAndPassword: {
      enabled: true,
      minPasswordLength: shortestPassword,
      maxPasswordLength: longestPassword,
      requireEmailVerification: requireVerified,
    },
    session: { expiresIn: sessionDays * 86_400, updateAge: 86_400 },
    advanced: { ipAddress: { ipAddressHeaders: [addressHeader] } },
    plugins: [bearer(), twoFactor({ issuer: 'Plinth' })],
    telemetry: { enabled: false },
    logger: { disabled: true },
  })

  async function translated<T>(call: () => Promise<T>): Promise<T> {
    const trouble: Trouble = {}
    try {
      const answer = await troubles.run(trouble, call)
      if (trouble.failure) throw trouble.failure
      return answer
    } catch (error) {
      if (trouble.failure) throw trouble.failure
      if (!(error instanceof APIError)) throw error
      const body: { code?: string; message?: string } = error.body ?? {}
      throw errors.identityRefused(
        { status: error.statusCode, code: body.code ?? 'REFUSED', reason: body.message ?? 'Refused.' },
        error,
      )
    }
  }
  return { api: auth.api, context: auth.$context, translated }
}

export type BetterAuth = ReturnType<typeof openBetterAuth>

/** Headers that tell better-auth who calls and from where. It keeps address and program with the session. */
export function headersOf(parts: {
  readonly token?: string
  readonly cookie?: string
  readonly origin?: Arrival
}): Headers {
  const headers = new Headers()
  if (parts.token !== undefined) headers.set('authorization', `Bearer ${parts.token}`)
  if (parts.cookie !== undefined) headers.set('cookie', parts.cookie)
  if (parts.origin) headers.set(addressHeader, parts.origin.address)
  if (parts.origin?.agent) headers.set('user-agent', parts.origin.agent)
  return headers
}

/** better-auth's own code for a refusal, as it stands in IDENTITY_REFUSED. */
export const refusalOf = (error: unknown): string | undefined =>
  isPlinthError(error) && error.code === errors.identityRefused.code
    ? String(error.data['reason'])
    : undefined
