// People and their sessions, kept by better-auth in the schema `identity`. This file is the only one that knows
// better-auth; its errors leave here as ours, with better-auth's own code.
import { type Auth, betterAuth } from 'better-auth'
import { APIError } from 'better-auth/api'
import { bearer } from 'better-auth/plugins'
import type pg from 'pg'
import { errors } from '../errors.ts'
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

const credentials = (token: string) => new Headers({ authorization: `Bearer ${token}` })

/** `pool` connects with search_path identity. */
export function createAccounts(pool: pg.Pool, secret: string): Accounts {
  const auth: Pick<Auth, 'api'> = betterAuth({
    database: pool,
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
    try {
      return await call()
    } catch (error) {
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
      const found = await auth.api.getSession({ headers: credentials(token) })
      if (!found) return undefined
      const { id, name, email } = found.user
      return { id, name, email, session: found.session.id }
    },
  }
}
