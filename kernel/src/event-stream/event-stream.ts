// One client's stream. Who he is and what he may see is asked again before each step, as a request would ask: a session
// that has ended, a membership that is gone or a role that was changed acts on a stream that is open as well. It is
// written no faster than it is read; who reads nothing for a while is cut, and goes on where he was.
import { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { errors, isPlinthError } from '../errors.ts'
import type { Located } from '../stages.ts'
import { wantsEvent } from '../webhooks/event-filter.ts'
import { aliveFrame, endFrame, eventFrame, openingFrame } from './sse-frames.ts'
import type { StoredEvent } from './stored-event.ts'
import type { TenantFeed } from './tenant-feeds.ts'
import type { SeeEvent } from './visible-event.ts'

export interface StreamTimes {
  /** Something is sent at least so often. */
  readonly aliveMs: number
  /** How often it is asked whether the caller may still listen, where nothing has told so before. */
  readonly askMs: number
  /** Who reads nothing for so long is cut. */
  readonly slowMs: number
  /** How long he has for the last event. */
  readonly endMs: number
}

export const streamTimes: StreamTimes = { aliveMs: 15_000, askMs: 5_000, slowMs: 30_000, endMs: 5_000 }

/** Bytes that wait for one client, beside what the network holds. */
const bufferBytes = 64 * 1024
/** After the database could not be asked. */
const againMs = 1_000

export interface StreamOptions {
  readonly feed: TenantFeed
  /** Undefined: from now on. */
  readonly after: number | undefined
  readonly types: readonly string[]
  /** As of now. @throws what a request would be refused with */
  climb(): Promise<Located>
  readonly see: SeeEvent
  readonly log: Logger
  readonly times: StreamTimes
}

export interface EventStream {
  readonly body: Readable
  /** What the caller may do may have changed. */
  ask(): void
  /** With a last event. */
  end(code: string, detail: string): void
}

export function openEventStream(options: StreamOptions): EventStream {
  const { feed, types, climb, see, log, times } = options
  let position = options.after ?? feed.head
  /** What the client has been told of where to go on. */
  let told = position
  let lastSent = performance.now()
  let drained: (() => void) | undefined
  let nudge = new AbortController()
  const over = new AbortController()

  const body = new Readable({
    highWaterMark: bufferBytes,
    read: () => drained?.(),
    destroy(error, done) {
      over.abort()
      done(error)
    },
  })

  /** Resolves when the client has read; cuts him when he does not. */
  async function written(frame: string): Promise<void> {
    lastSent = performance.now()
    if (body.destroyed || body.push(frame)) return
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const timeout = setTimeout(resolve, times.slowMs, false)
    const stop = () => resolve(true)
    drained = stop
    over.signal.addEventListener('abort', stop, { once: true })
    const isRead = await promise
    clearTimeout(timeout)
    drained = undefined
    over.signal.removeEventListener('abort', stop)
    if (!isRead) throw errors.streamSlow({ seconds: Math.round(times.slowMs / 1_000) })
  }

  function finish(code: string, detail: string): void {
    if (over.signal.aborted) return
    over.abort()
    body.push(endFrame(code, detail))
    body.push(null)
    // A client that does not read would hold the connection, and a kernel that closes.
    setTimeout(() => body.destroy(), times.endMs).unref()
  }

  /** What is there for the caller, until he has to be asked about again. */
  async function send(located: Located, events: readonly StoredEvent[]): Promise<void> {
    for (const event of events) {
      // He may be another by now, and what follows is not for who he was.
      if (over.signal.aborted || nudge.signal.aborted) return
      const isWanted = wantsEvent(types, `${event.module}.${event.event}`)
      const seen = isWanted ? await see(located, event) : undefined
      position = event.position
      if (!seen) continue
      told = position
      const began = performance.now()
      await written(eventFrame(seen))
      // He has made us wait.
      if (performance.now() - began > times.askMs) return
    }
  }

  async function step(): Promise<void> {
    nudge = new AbortController()
    const located = await climb()
    const { events, upTo } = await feed.after(position)
    await send(located, events)
    if (events.length === 0) position = upTo
    if (performance.now() - lastSent >= times.aliveMs || position - told >= 10_000) {
      told = position
      await written(aliveFrame(position))
    }
    if (events.length > 0 || over.signal.aborted) return
    const waitMs = Math.min(times.askMs, times.aliveMs)
    await feed.changed(position, waitMs, AbortSignal.any([nudge.signal, over.signal]))
  }

  async function run(): Promise<void> {
    await written(openingFrame(position))
    while (!over.signal.aborted) {
      try {
        await step()
      } catch (error) {
        if (isPlinthError(error) && error.status < 500) return finish(error.code, error.message)
        if (isPlinthError(error) && error.code === errors.streamSlow.code)
          return finish(error.code, error.message)
        log.warn({ err: error }, 'a stream of events could not go on; it is tried again')
        await new Promise((resolve) => setTimeout(resolve, againMs))
      }
    }
  }

  run()
    .catch((error: unknown) => body.destroy(error instanceof Error ? error : new Error(String(error))))
    .finally(() => feed.close())

  return { body, ask: () => nudge.abort(), end: finish }
}
