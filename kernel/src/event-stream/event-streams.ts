// All streams of this process: who may open one, who of them has to be asked about when something changes, and their end.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Change, ChangeFeed } from '../data/change-feed.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import type { Located } from '../stages.ts'
import { type EventStream, openEventStream, type StreamTimes, streamTimes } from './event-stream.ts'
import { createStreamPlaces, streamLimits } from './stream-places.ts'
import { createTenantFeeds } from './tenant-feeds.ts'
import { createSeeEvent, type VisibilityParts } from './visible-event.ts'

export interface EventStreams {
  /** `climb` as for a request that comes now. @throws STREAMS_FULL */
  open(
    located: Located,
    wish: { readonly after: number | undefined; readonly types: readonly string[] },
    climb: () => Promise<Located>,
  ): Promise<EventStream>
  /** Ends them all, each with a last event. */
  close(): Promise<void>
}

const asksAgain: ReadonlySet<Change['kind']> = new Set([
  ...(['session', 'member', 'access', 'tenant', 'tenantClosed', 'tokenKeys', 'plugins', 'all'] as const),
])

export function createEventStreams(
  parts: VisibilityParts & {
    readonly pool: Pick<pg.Pool, 'query'>
    readonly feed: Pick<ChangeFeed, 'onChange'>
    readonly log: Logger
  },
  off: DefencesOff = allStand,
  { times = streamTimes, limits = streamLimits }: { times?: StreamTimes; limits?: typeof streamLimits } = {},
): EventStreams {
  const { feed, log } = parts
  const feeds = createTenantFeeds(parts)
  const see = createSeeEvent(parts, off)
  const places = createStreamPlaces(limits)
  const streams = new Map<EventStream, { readonly tenant: string; readonly session: string }>()
  let isClosed = false

  feed.onChange(({ kind, id }) => {
    if (!asksAgain.has(kind)) return
    // A member's key begins with his tenant.
    for (const [stream, { tenant, session }] of streams)
      if (kind === 'session' ? id === session : id === '' || !id.includes('-') || id.startsWith(tenant))
        stream.ask()
  })

  return {
    async open(located, { after, types }, climb) {
      const { tenant, actor } = located
      const leave = places.take(tenant.id, actor.id)
      try {
        const options = { feed: await feeds.open(tenant.id), after, types, climb, see, log, times }
        const stream = openEventStream(options)
        streams.set(stream, { tenant: tenant.id, session: actor.session })
        stream.body.once('close', () => {
          streams.delete(stream)
          leave()
        })
        if (isClosed) stream.end('CLOSING', 'The server is closing. Connect again.')
        return stream
      } catch (error) {
        leave()
        throw error
      }
    },
    async close() {
      isClosed = true
      for (const stream of streams.keys()) stream.end('CLOSING', 'The server is closing. Connect again.')
      await feeds.close()
    },
  }
}
