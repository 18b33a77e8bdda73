// GET /metrics, for the operator's Prometheus and nobody else: with the token of the settings, or, without one, from
// this machine only.
import { isIPv4 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { isSameToken } from '../identity/same-token.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses } from './schemas.ts'

/** A proxy on this machine speaks for somebody who may be anywhere. */
const proxyHeaders = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']

function isLocal(request: FastifyRequest): boolean {
  const address = request.ip.replace(/^::ffff:/, '')
  const isLoopback = address === '::1' || (isIPv4(address) && address.startsWith('127.'))
  return isLoopback && !proxyHeaders.some((name) => name in request.headers)
}

export function metricsRoute(
  app: Instance,
  ladder: Ladder,
  parts: { readonly metrics: Metrics; readonly token: string | undefined },
): void {
  const { metrics, token } = parts

  function admit(request: FastifyRequest): void {
    if (token === undefined) {
      // As if it were not there: nobody outside learns of it.
      if (!isLocal(request)) throw errors.routeNotFound({ method: request.method, path: '/metrics' })
      return
    }
    const [, given] = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '') ?? []
    if (given === undefined || !isSameToken(given, token)) throw errors.unauthenticated({})
  }

  app.route({
    method: 'GET',
    url: '/metrics',
    schema: {
      tags: ['System'],
      summary: 'Figures of this process for Prometheus',
      security: [{}, { bearer: [] }],
      response: {
        200: { description: 'Text.', content: { 'text/plain': { schema: { type: 'string' } } } },
        ...problemResponses,
      },
    },
    ...atRung(
      (request) => {
        admit(request)
        return ladder.arrived(request)
      },
      async (_stage, _request, reply) => {
        const text = await metrics.text()
        return reply.type(metrics.contentType).serializer(String).send(text)
      },
    ),
  })
}
