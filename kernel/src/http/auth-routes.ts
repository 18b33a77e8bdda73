// /v1/auth: signing up, in and out.
import { errors } from '../errors.ts'
import type { Accounts } from '../identity/accounts.ts'
import type { Sessions } from '../identity/sessions.ts'
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
  },
): void {
  const { accounts, sessions, runControl } = parts
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
    ...atRung(ladder.arrived, async (_arrival, request) => accounts.signUp(request.body as SignUpBody)),
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
    ...atRung(ladder.arrived, async (_arrival, request) => accounts.signIn(request.body as SignInBody)),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/sign-out',
    schema: {
      tags,
      summary: 'End the session of the token that is sent, and all that came of it',
      response: { 204: { description: 'Signed out.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.presented, async ({ token, actor, credential }, _request, reply) => {
      // What ends a key is revoking it.
      if (credential === 'key') throw errors.personRequired({})
      if (credential === 'session') await accounts.signOut(token)
      else await sessions.end(actor.session)
      // The database has told every process; this waits until they have heard it.
      await runControl((tx) => tx.announce({ kind: 'session', id: actor.session }))
      return reply.code(204).send()
    }),
  })
}
