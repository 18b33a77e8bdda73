// /v1/me/totp: codes of an authenticator app, and recovery codes.
import type { FastifyReply } from 'fastify'
import type { IdentityParts } from '../identity/identity-parts.ts'
import { confirmCodes, disableCodes, newRecoveryCodes, setUpCodes } from '../identity/second-factor.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  type CodeBody,
  codeBody,
  codesSetUp,
  type PasswordBody,
  passwordBody,
  recoveryCodes,
  tokenShape,
} from './people-schemas.ts'
import { problemResponses } from './schemas.ts'

const tags = ['Identity']
/** Nobody keeps a copy of it, and neither do we for an Idempotency-Key. */
const shownOnce = (reply: FastifyReply) => void reply.header('cache-control', 'no-store')

export function secondFactorRoutes(app: Instance, ladder: Ladder, parts: IdentityParts): void {
  app.route({
    method: 'POST',
    url: '/v1/me/totp',
    schema: {
      tags,
      summary: 'Begin with an authenticator: its secret and the recovery codes, shown once',
      body: passwordBody,
      response: { 200: codesSetUp, ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      shownOnce(reply)
      return setUpCodes(parts, who, (request.body as PasswordBody).password, who)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/me/totp/confirm',
    schema: {
      tags,
      summary: 'Switch codes on with the first one; ends all other sessions',
      body: codeBody,
      response: { 200: tokenShape, ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      shownOnce(reply)
      return { token: await confirmCodes(parts, who, (request.body as CodeBody).code, who) }
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/me/totp/disable',
    schema: {
      tags,
      summary: 'Switch codes off; ends all other sessions',
      body: passwordBody,
      response: { 200: tokenShape, ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      shownOnce(reply)
      return { token: await disableCodes(parts, who, (request.body as PasswordBody).password, who) }
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/me/recovery-codes',
    schema: {
      tags,
      summary: 'New recovery codes, shown once; the old ones are over',
      body: passwordBody,
      response: { 200: recoveryCodes, ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      shownOnce(reply)
      const { password } = request.body as PasswordBody
      return { recoveryCodes: await newRecoveryCodes(parts, who, password, who) }
    }),
  })
}
