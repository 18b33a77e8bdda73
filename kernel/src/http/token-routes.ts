// Access tokens: exchanging a session or a refresh token for one, the keys that verify them, and their rotation.
import type { Logger } from 'pino'
import { errors } from '../errors.ts'
import type { ExchangeToken } from '../identity/exchange-token.ts'
import type { SigningKeys } from '../identity/signing-keys.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { Instance } from './create-instance.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses } from './schemas.ts'
import {
  issuedTokens,
  keySet,
  type RotationBody,
  rotationBody,
  type TokenBody,
  tokenBody,
} from './token-schemas.ts'

/** `SigningKeys` publishes a key for twice this time before it signs. */
const keySetSeconds = 300

export function tokenRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly exchange: ExchangeToken
    readonly keys: SigningKeys
    readonly runControl: RunControl
    readonly log: Logger
  },
): void {
  const { exchange, keys, runControl, log } = parts

  app.route({
    method: 'POST',
    url: '/v1/auth/token',
    schema: {
      tags: ['Identity'],
      summary: 'A short-lived access token, for a session or the refresh token of an earlier exchange',
      security: [{ bearer: [] }, {}],
      body: tokenBody,
      response: { 200: issuedTokens, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      const { refreshToken, ...wish } = request.body as TokenBody
      void reply.header('cache-control', 'no-store')
      if (refreshToken === undefined) return exchange.fromSession(await ladder.presented(request), wish)
      const [field] = Object.keys(wish)
      if (field !== undefined) {
        const message = 'stays as it was in the exchange that the refresh token comes from'
        throw errors.validation({ errors: [{ field, code: 'UNKNOWN_FIELD', message }] })
      }
      return exchange.fromRefresh(arrival, refreshToken)
    }),
  })
  app.route({
    method: 'GET',
    url: '/.well-known/jwks.json',
    schema: {
      tags: ['Identity'],
      summary: 'The keys that verify access tokens',
      security: [],
      response: { 200: keySet, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (_arrival, _request, reply) => {
      void reply.header('cache-control', `public, max-age=${keySetSeconds}`)
      return { keys: await keys.published() }
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/signing-keys',
    schema: {
      tags: ['Operator'],
      summary: 'Replace the key that signs access tokens',
      body: rotationBody,
      response: { 204: { description: 'Done.', type: 'null' }, ...problemResponses },
    },
    ...keepingAnswer(ladder.operated, runControl, (stage, request, keep) => {
      const { endOthers = false } = request.body as RotationBody
      return keep(
        async (run) => {
          await keys.rotate(stage, endOthers, run)
          const what = 'the operator replaced the key that signs access tokens'
          log.warn({ endOthers, requestId: request.id }, what)
        },
        () => ({}),
      )
    }),
  })
}
