// /v1/auth: signing up, in and out.
import { errors } from '../errors.ts'
import { recordIdentityEvent } from '../identity/identity-events.ts'
import type { IdentityParts } from '../identity/identity-parts.ts'
import type { Sessions } from '../identity/sessions.ts'
import { signIn, signInWithCode } from '../identity/sign-in.ts'
import { signUp } from '../identity/sign-up.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { nextStep, type SecondFactorBody, secondFactorBody } from './people-schemas.ts'
import {
  problemResponses,
  type SignInBody,
  type SignUpBody,
  signedIn,
  signInBody,
  signUpBody,
} from './schemas.ts'

const tags = ['Identity']

export function authRoutes(app: Instance, ladder: Ladder, parts: IdentityParts, sessions: Sessions): void {
  const { accounts, runControl } = parts
  app.route({
    method: 'POST',
    url: '/v1/auth/sign-up/email',
    schema: {
      tags,
      summary: 'Create an account and sign in, or, where the address must be confirmed first, be sent a mail',
      security: [],
      body: signUpBody,
      response: { 200: signedIn, 202: nextStep, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      const made = await signUp(parts, request.body as SignUpBody, arrival)
      return made ?? reply.code(202).send({ next: 'confirm-email' })
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
      response: { 200: signedIn, 202: nextStep, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      const answer = await signIn(parts, request.body as SignInBody, arrival)
      if (!('challenge' in answer)) return answer
      return reply.code(202).send({ next: 'second-factor', challenge: answer.challenge })
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/sign-in/second-factor',
    schema: {
      tags,
      summary: 'The second step of a sign-in: a code of the authenticator, or a recovery code',
      security: [],
      body: secondFactorBody,
      response: { 200: signedIn, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request) => {
      const body = request.body as SecondFactorBody
      const isRecovery = 'recoveryCode' in body
      const code = isRecovery ? body.recoveryCode : body.code
      const input = { challenge: body.challenge, code, isRecovery }
      return signInWithCode(parts, input, arrival)
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
    ...atRung(ladder.presented, async (who, _request, reply) => {
      const { token, actor, credential } = who
      // What ends a key is revoking it.
      if (credential === 'key') throw errors.personRequired({})
      if (credential === 'session') await accounts.signOut(token)
      else await sessions.end(actor.session)
      await runControl(async (tx) => {
        await recordIdentityEvent(tx, who, { kind: 'signed-out', userId: actor.id })
        // The database has told every process; this waits until they have heard it.
        await tx.announce({ kind: 'session', id: actor.session })
      })
      return reply.code(204).send()
    }),
  })
}
