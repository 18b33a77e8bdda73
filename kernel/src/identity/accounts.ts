// People and their sessions, kept by better-auth in the schema `identity`. Its errors leave here as ours, with better-auth's
// own code.
import { hashPassword, verifyPassword } from 'better-auth/crypto'
import type pg from 'pg'
import { errors } from '../errors.ts'
import type { Actor, Arrival } from '../stages.ts'
import { challengeIn, createOneTimeCodes, type OneTimeCodes } from './better-auth/one-time-codes.ts'
import { type BetterAuthOptions, headersOf, openBetterAuth } from './better-auth/open-better-auth.ts'

export interface SignedIn {
  readonly token: string
  readonly user: { readonly id: string; readonly name: string; readonly email: string }
}

/** The password was right, and a code is asked for besides. */
export interface CodeAsked {
  readonly challenge: string
}

export interface NewAccount {
  readonly name: string
  readonly email: string
  readonly password: string
}

export interface Accounts {
  /**
   * Without a token the person has to show first that the address is his. Then nobody learns here whether there was an
   * account already: the id that comes back is made up in that case.
   * @throws IDENTITY_REFUSED, for example USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL
   */
  signUp(input: NewAccount, origin?: Arrival): Promise<Omit<SignedIn, 'token'> & { readonly token?: string }>
  /** @throws IDENTITY_REFUSED with INVALID_EMAIL_OR_PASSWORD: the same answer whichever was wrong. */
  signIn(input: Pick<NewAccount, 'email' | 'password'>, origin?: Arrival): Promise<SignedIn | CodeAsked>
  signOut(token: string): Promise<void>
  /** Who holds this session token, from the database. */
  findSession(token: string): Promise<Actor | undefined>
  /** A session for somebody who has shown in another way who he is. @throws PERSON_DISABLED */
  openSession(userId: string, origin: Arrival): Promise<string>
  readonly codes: OneTimeCodes
  /** The form in which better-auth keeps a password. */
  hashPassword(password: string): Promise<string>
  matches(password: string, hash: string): Promise<boolean>
}

/** `pool` connects with search_path identity. */
export function createAccounts(pool: pg.Pool, options: BetterAuthOptions): Accounts {
  const auth = openBetterAuth(pool, options)
  const { api, translated } = auth
  const userOf = ({ id, name, email }: SignedIn['user']) => ({ id, name, email })

  return {
    async signUp(body, origin) {
      const headers = headersOf({ ...(origin && { origin }) })
      const { token, user } = await translated(() => api.signUpEmail({ body, headers }))
      return { ...(token === null ? {} : { token }), user: userOf(user) }
    },
    async signIn(body, origin) {
      const headers = headersOf({ ...(origin && { origin }) })
      const answer = await translated(() => api.signInEmail({ body, headers, returnHeaders: true }))
      if ('twoFactorRedirect' in answer.response) return { challenge: challengeIn(answer.headers) }
      return { token: answer.response.token, user: userOf(answer.response.user) }
    },
    async signOut(token) {
      await translated(() => api.signOut({ headers: headersOf({ token }) }))
    },
    async findSession(token) {
      const found = await translated(() => api.getSession({ headers: headersOf({ token }) }))
      if (!found) return undefined
      const { id, name, email } = found.user
      return { id, name, email, session: found.session.id }
    },
    async openSession(userId, { address, agent }) {
      const { internalAdapter } = await auth.context
      const where = { ipAddress: address, ...(agent && { userAgent: agent }) }
      const session = await translated(() => internalAdapter.createSession(userId, false, where))
      if (!session) throw errors.internal({}, new Error('better-auth made no session'))
      return session.token
    },
    codes: createOneTimeCodes(auth),
    hashPassword,
    matches: (password, hash) => verifyPassword({ password, hash }),
  }
}
