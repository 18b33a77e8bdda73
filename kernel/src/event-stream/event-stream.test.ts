import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import t from 'tap'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import { openEventStream, type StreamOptions, streamTimes } from './event-stream.ts'
import type { StoredEvent } from './stored-event.ts'
import type { TenantFeed } from './tenant-feeds.ts'

const log = pino({ level: 'silent' })
// What a stream knows of who listens is what it hands on.
const somebody = {} as Located

const eventAt = (position: number, note = ''): StoredEvent => ({
  position,
  module: 'store',
  event: 'bell.rung',
  payload: { note },
  subject: null,
  at: new Date(0),
  bytes: 0,
})

/** Of so many events, and then nothing more. */
function feedOf(events: readonly StoredEvent[], onClose = () => undefined): TenantFeed {
  return {
    head: 0,
    async after(position) {
      const some = events.filter((event) => event.position > position).slice(0, 100)
      return { events: some, upTo: some.at(-1)?.position ?? position }
    },
    changed: (_, ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
    close: onClose,
  }
}

const opened = (more: Partial<StreamOptions>) =>
  openEventStream({
    feed: feedOf([]),
    after: 0,
    types: ['*'],
    climb: async () => somebody,
    see: async (_, event) => event,
    log,
    times: streamTimes,
    ...more,
  })

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of body) text += chunk.toString()
  return text
}

t.test('who reads nothing is cut with a last event, and keeps the place where he was', async (t) => {
  const big = 'x'.repeat(1_000)
  const events = Array.from({ length: 1_000 }, (_, at) => eventAt(at + 1, big))
  const closed: true[] = []
  const times = { ...streamTimes, slowMs: 100, endMs: 60_000 }
  const { body } = opened({ feed: feedOf(events, () => void closed.push(true)), times })
  await sleep(300)
  t.ok(body.readableLength < 80_000, `${body.readableLength} bytes wait for him`)
  const text = await textOf(body)
  t.match(text, /event: end\ndata: {"code":"STREAM_SLOW".*\n\n$/)
  const ids = [...text.matchAll(/^id: (\d+)\ndata/gm)].map(([, id]) => Number(id))
  t.strictSame(
    ids,
    Array.from({ length: ids.length }, (_, at) => at + 1),
    'all that came is in order',
  )
  t.ok(ids.length < 100)
  t.equal(closed.length, 1)
})

t.test('and where he does not even read that, the connection is ended', async (t) => {
  const events = Array.from({ length: 1_000 }, (_, at) => eventAt(at + 1, 'x'.repeat(1_000)))
  const { body } = opened({ feed: feedOf(events), times: { ...streamTimes, slowMs: 50, endMs: 50 } })
  await sleep(400)
  t.ok(body.destroyed)
})

t.test('silence is broken now and then, with the place that was looked at', async (t) => {
  const times = { ...streamTimes, aliveMs: 50, askMs: 20 }
  const stream = opened({ feed: feedOf([eventAt(1), eventAt(2)]), see: async () => undefined, times })
  setTimeout(() => stream.end('CLOSING', 'x'), 300)
  const text = await textOf(stream.body)
  t.match(text, /^retry: 2000\nid: 0\n\n: alive\nid: 2\n\n/)
  t.notMatch(text, /bell/)
})

t.test('who may no longer listen is told why; what fails on our side is tried again', async (t) => {
  const answers = [errors.databaseUnavailable({}, new Error('gone')), undefined, errors.unauthenticated({})]
  const stream = opened({
    feed: feedOf([eventAt(1, 'after a failure')]),
    async climb() {
      const error = answers.shift()
      if (error) throw error
      return somebody
    },
  })
  setTimeout(() => stream.ask(), 1_500)
  const text = await textOf(stream.body)
  t.match(text, /after a failure/)
  t.match(text, /event: end\ndata: {"code":"UNAUTHENTICATED"/)
})

t.test('who may do something else from now on is asked about before the next event', async (t) => {
  const [before, after] = [{} as Located, {} as Located]
  const climbs = [before, after]
  const saw: [number, Located][] = []
  const stream = opened({
    feed: feedOf([eventAt(1), eventAt(2)]),
    climb: async () => climbs.shift() ?? after,
    async see(located, event) {
      saw.push([event.position, located])
      // The first is not for him, and while that is found out his role changes.
      if (event.position === 1) stream.ask()
      else stream.end('CLOSING', 'x')
      return undefined
    },
  })
  await textOf(stream.body)
  t.equal(saw.length, 2)
  t.equal(saw[0]?.[1], before)
  t.equal(saw[1]?.[1], after)
})
