// The newest events of the tenants that somebody here listens to, read once for all who do: one statement for all tenants
// of this process, twice a second. Who is further behind than what is kept here reads for himself.
import type pg from 'pg'
import type { Logger } from 'pino'
import { repeat } from '../tenants/repeat.ts'
import { eventsAfter, eventsAfterEach, headOf, isFullPage, type StoredEvent } from './stored-event.ts'

/** Of one tenant, in memory. */
const kept = 500
const keptBytes = 4 * 1024 * 1024
const readAtOnce = 200
const pollMs = 500

export interface Reading {
  /** In their order. */
  readonly events: readonly StoredEvent[]
  /** There is nothing more up to here: what is no longer kept has left a gap. */
  readonly upTo: number
}

export interface TenantFeed {
  /** The latest position when it was opened. */
  readonly head: number
  /** Behind the position; some at a time. */
  after(position: number): Promise<Reading>
  /** Resolves when there may be more than there was, when `ms` are over, or with the signal. */
  changed(position: number, ms: number, signal: AbortSignal): Promise<void>
  close(): void
}

export interface TenantFeeds {
  open(tenant: string): Promise<TenantFeed>
  close(): Promise<void>
}

interface Kept {
  followers: number
  /** Complete from behind here up to `head`. */
  from: number
  head: number
  events: StoredEvent[]
  bytes: number
  readonly waiting: Set<() => void>
}

export function createTenantFeeds(
  { pool, log }: { readonly pool: Pick<pg.Pool, 'query'>; readonly log: Logger },
  everyMs = pollMs,
): TenantFeeds {
  const tenants = new Map<string, Kept>()

  function take(one: Kept, events: readonly StoredEvent[]): void {
    one.events.push(...events)
    one.head = events.at(-1)?.position ?? one.head
    for (const { bytes } of events) one.bytes += bytes
    let dropped = 0
    for (const { bytes } of one.events) {
      if (one.events.length - dropped <= kept && one.bytes <= keptBytes) break
      one.bytes -= bytes
      dropped += 1
    }
    one.from = one.events.splice(0, dropped).at(-1)?.position ?? one.from
    for (const wake of [...one.waiting]) wake()
  }

  async function poll(): Promise<void> {
    for (let isMore = true; isMore && tenants.size > 0; ) {
      const heads = new Map([...tenants].map(([tenant, { head }]) => [tenant, head]))
      const found = await eventsAfterEach(pool, heads, readAtOnce)
      isMore = false
      for (const [tenant, events] of found) {
        const one = tenants.get(tenant)
        // Closed and opened again meanwhile: it begins where it begins.
        if (!one || one.head !== heads.get(tenant)) continue
        take(one, events)
        isMore ||= isFullPage(events, readAtOnce)
      }
    }
  }

  const polling = repeat('events of streams', poll, log, everyMs)

  function leave(tenant: string, one: Kept): void {
    one.followers -= 1
    if (one.followers === 0) tenants.delete(tenant)
  }

  return {
    async open(tenant) {
      const head = await headOf(pool, tenant)
      const one = tenants.get(tenant) ?? {
        followers: 0,
        from: head,
        head,
        events: [],
        bytes: 0,
        waiting: new Set(),
      }
      tenants.set(tenant, one)
      one.followers += 1
      let isOpen = true
      return {
        head,
        async after(position) {
          // As it is before the reading: all up to there can be seen by it.
          const { head: newest } = one
          const events =
            position < one.from
              ? await eventsAfter(pool, tenant, position, readAtOnce)
              : one.events.filter((event) => event.position > position).slice(0, readAtOnce)
          return { events, upTo: events.at(-1)?.position ?? Math.max(position, newest) }
        },
        changed: (position, ms, signal) =>
          new Promise((resolve) => {
            if (one.head > position || signal.aborted) return resolve()
            const done = () => {
              one.waiting.delete(done)
              clearTimeout(timeout)
              signal.removeEventListener('abort', done)
              resolve()
            }
            const timeout = setTimeout(done, ms)
            signal.addEventListener('abort', done, { once: true })
            one.waiting.add(done)
          }),
        close() {
          if (!isOpen) return
          isOpen = false
          leave(tenant, one)
        },
      }
    },
    close: polling.close,
  }
}
