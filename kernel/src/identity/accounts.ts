// People and their sessions, kept by better-auth in the schema `identity`. This file is the only one that knows
// better-auth; its errors leave here as ours, with better-auth's own code.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Auth, betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { bearer } from 'better-auth/plugins'
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import { errors, isPlinthError, type PlinthError } from '../errors.ts'
import type { Actor } from '../stages.ts'

const sessionDays = 7

export interface SignedIn {
  readonly token: string
  readonly user: { readonly id: string; readonly name: string; readonly email: string }
}

export interface Accounts {
  /** @throws IDENTITY_REFUSED, for example USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL */
  signUp(input: { name: string; email: string; password: string }): Promise<SignedIn>
  /** @throws IDENTITY_REFUSED with INVALID_EMAIL_OR_PASSWORD: the same answer whichever was wrong. */
  signIn(input: { email: string; password: string }): Promise<SignedIn>
  signOut(token: string): Promise<void>
  /** Who holds this session token, from the database. */
  findSession(token: string): Promise<Actor | undefined>
}

/** The part of a pool that better-auth's driver uses; `tell` hears when the database is not there or too slow. */
function watchedPool(pool: pg.Pool, tell: (failure: PlinthError) => void) {
  const watched = <T>(call: () => Promise<T>): Promise<T> =>
    fromDatabase(call).catch((error: unknown) => {
      if (isPlinthError(error)) tell(error)
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

const credentials = (token: string) => new Headers({ authorization: `Bearer ${token}` })

/** What the database did during one call. better-auth hides it: behind a 500, a 422, or "no session". */
interface Trouble {
  failure?: unknown
}

/** `pool` connects with search_path identity. */
export function createAccounts(pool: pg.Pool, secret: string): Accounts {
  const troubles = new AsyncLocalStorage<Trouble>()
  const auth: Pick<Auth, 'api'> = betterAuth({
    database: watchedPool(pool, (failure) => {
      const trouble = troubles.getStore()
      if (trouble) trouble.failure ??= failure
    }),
    secret,
    baseURL: 'http://localhost',
    basePath: '/v1/auth',
    emailAndPassword: { enabled: true, minPasswordLength: 10, maxPasswordLength: 256 },
    session: { expiresIn: sessionDays * 86_400, updateAge: 86_400 },
    plugins: [bearer()],
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

  function signedIn(answer: { token: string | null; user: SignedIn['user'] }): SignedIn {
    const { id, name, email } = answer.user
    if (answer.token === null) throw errors.internal({})
    return { token: answer.token, user: { id, name, email } }
  }

  return {
    signUp: (body) => translated(async () => signedIn(await auth.api.signUpEmail({ body }))),
    signIn: (body) => translated(async () => signedIn(await auth.api.signInEmail({ body }))),
    async signOut(token) {
      await translated(() => auth.api.signOut({ headers: credentials(token) }))
    },
    async findSession(token) {
      const found = await translated(() => auth.api.getSession({ headers: credentials(token) }))
      if (!found) return undefined
      const { id, name, email } = found.user
      return { id, name, email, session: found.session.id }
    },
  }
}
