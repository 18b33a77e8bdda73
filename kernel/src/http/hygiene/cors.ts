// CORS: which pages a browser lets read an answer. Callers are known by a header and never by a cookie, so this opens what is
// closed by default, and no page can act as somebody by it.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { allStand, type DefencesOff } from '../../defences.ts'
import type { OriginDirectory } from '../../tenants/tenant-origins.ts'

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const sent =
  'authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, traceparent, x-request-id, x-tenant-id'
const read =
  'etag, idempotent-replayed, link, location, ratelimit, ratelimit-policy, retry-after, traceparent, www-authenticate, x-request-id'
const rememberedSeconds = 600

export interface Cors {
  /** Of `onRequest`: true when the request was a browser's question, which is answered now. */
  answersPreflight(request: FastifyRequest, reply: FastifyReply): boolean
  /** Of `onSend`, when it is known whose request it was. */
  mark(request: FastifyRequest, reply: FastifyReply): void
}

export function createCors(origins: OriginDirectory, off: DefencesOff = allStand): Cors {
  function open(origin: string, tenant: string | undefined, reply: FastifyReply): boolean {
    void reply.header('vary', 'origin')
    if (!off.has('originCheck') && !origins.allows(origin, tenant)) return false
    void reply.header('access-control-allow-origin', origin)
    return true
  }

  return {
    // It names no tenant: the header that would is what it asks about. So one that any tenant has is let ask, and the
    // answer to what follows is opened by the tenant's own list.
    answersPreflight(request, reply) {
      const { origin, 'access-control-request-method': method } = request.headers
      if (request.method !== 'OPTIONS' || origin === undefined || method === undefined) return false
      if (open(origin, undefined, reply)) {
        void reply.headers({
          'access-control-allow-methods': methods,
          'access-control-allow-headers': sent,
          'access-control-max-age': rememberedSeconds,
        })
      }
      void reply.code(204).send()
      return true
    },
    mark(request, reply) {
      const { origin } = request.headers
      if (origin === undefined || request.method === 'OPTIONS') return
      if (open(origin, request.asker?.tenant, reply)) void reply.header('access-control-expose-headers', read)
    },
  }
}
