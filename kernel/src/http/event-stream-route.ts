// GET /v1/events: what happens in the tenant, as server-sent events, as far as the caller may read what they are about.
import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { errors } from '../errors.ts'
import type { EventStreams } from '../event-stream/event-streams.ts'
import { eventFilterPattern } from '../webhooks/event-filter.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses, tenantHeader } from './schemas.ts'

const one = eventFilterPattern.slice(1, -1)
const mostTypes = 20

const query = Type.Object(
  {
    types: Type.Optional(
      Type.String({
        pattern: `^${one}(?:,${one}){0,${mostTypes - 1}}$`,
        maxLength: 2_000,
        description: `Of these alone: up to ${mostTypes} of oms.order.shipped, oms.order.*, oms.*, with commas between them.`,
      }),
    ),
    after: Type.Optional(
      Type.String({
        pattern: '^\\d{1,15}$',
        description: 'Begin behind this id; 0 for all that is kept. From now on when left out.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** What a client says by itself when it connects again is newer than its URL. @throws VALIDATION_FAILED */
function positionIn(request: FastifyRequest, after: string | undefined): number | undefined {
  const header = request.headers['last-event-id']
  if (header === undefined || header === '') return after === undefined ? undefined : Number(after)
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header)
  const message = 'must be the id of an event of this stream'
  throw errors.validation({ errors: [{ field: 'Last-Event-ID', code: 'INVALID', message }] })
}

export function eventStreamRoute(app: Instance, ladder: Ladder, streams: Pick<EventStreams, 'open'>): void {
  app.route({
    method: 'GET',
    url: '/v1/events',
    // A HEAD of it would open a stream that nobody reads.
    exposeHeadRoute: false,
    schema: {
      tags: ['Events'],
      summary: 'The events of the tenant as they happen, as server-sent events',
      headers: Type.Object({
        ...tenantHeader.properties,
        'last-event-id': Type.Optional(Type.String({ description: 'Go on behind this id.' })),
      }),
      querystring: query,
      response: {
        200: {
          description: 'Goes on until one of the two ends it.',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        ...problemResponses,
      },
    },
    ...atRung(ladder.entered, async (stage, request, reply) => {
      const { types = '*', after } = request.query as Static<typeof query>
      const wish = { after: positionIn(request, after), types: types.split(',') }
      const stream = await streams.open(stage, wish, async () => ladder.entered(request))
      // Proxies are not to wait until there is enough of it.
      void reply.header('x-accel-buffering', 'no').type('text/event-stream; charset=utf-8')
      // Not the reply, which is awaited to its end: the request would keep its turn as long as the stream goes on.
      return stream.body
    }),
  })
}
