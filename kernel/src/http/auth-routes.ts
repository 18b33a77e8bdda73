// /v1/auth: signing up, in and out.
import type pg from 'pg'
import { recordIdentity } from '../audit/identity-events.ts'
import { errors, isPlinthError } from '../errors.ts'
import type { Accounts, SignedIn } from '../identity/accounts.ts'
import type { Sessions } from '../identity/sessions.ts'
import type { Arrival } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  problemResponses,
  type SignInBody,
  type SignUpBody,
  signedIn,
  signInBody,
  signUpBody,
} from './schemas.ts'

const tags = ['Identity']

export function authRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly accounts: Accounts
    readonly sessions: Sessions
    readonly runControl: RunControl
    readonly pool: pg.Pool
  },
): void {
  const { accounts, sessions, runControl, pool } = parts

  /** A session leaves only with its trace; a refusal leaves one as well, whoever it was. */
  async function recorded(
    by: Arrival,
    action: string,
    email: string,
    enter: () => Promise<SignedIn>,
  ): Promise<SignedIn> {
    const detail = { with: 'password' }
    try {
      const signed = await enter()
      await recordIdentity(pool, { person: signed.user.id, action, detail, by })
      return signed
    } catch (error) {
      if (!isPlinthError(error) || error.code !== errors.identityRefused.code) throw error
      const { rows } = await pool.query<{ id: string }>(
        'SELECT id FROM identity."user" WHERE lower(email) = lower($1)',
        [email],
      )
      const person = rows[0] ? { person: rows[0].id } : {}
      await recordIdentity(pool, {
        ...person,
        action: action === 'signed-in' ? 'sign-in-failed' : 'sign-up-failed',
        detail,
        by,
      })
      throw error
    }
  }

  app.route({
    method: 'POST',
    url: '/v1/auth/sign-up/email',
    schema: {
      tags,
      summary: 'Create an account and sign in',
      security: [],
      body: signUpBody,
      response: { 200: signedIn, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request) => {
      const body = request.body as SignUpBody
      return recorded(arrival, 'signed-up', body.email, () => accounts.signUp(body))
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/sign-in/email',
    schema: {
      tags,
      summary: 'Sign in with e-mail address and password',
      security: [],
      body: signInBody,
      response: { 200: signedIn, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request) => {
      const body = request.body as SignInBody
      return recorded(arrival, 'signed-in', body.email, () => accounts.signIn(body))
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/sign-out',
    schema: {
      tags,
      summary: 'End the session of the token that is sent, and all that came of it',
      response: { 204: { description: 'Signed out.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.presented, async (stage, _request, reply) => {
      const { token, actor, credential } = stage
      // What ends a key is revoking it.
      if (credential === 'key') throw errors.personRequired({})
      await recordIdentity(pool, { person: actor.id, action: 'signed-out', by: stage })
      if (credential === 'session') await accounts.signOut(token)
      else await sessions.end(actor.session)
      // The database has told every process; this waits until they have heard it.
      await runControl((tx) => tx.announce({ kind: 'session', id: actor.session }))
      return reply.code(204).send()
    }),
  })
}
