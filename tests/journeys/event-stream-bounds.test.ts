// What streams of events may cost: memory for those who read slowly, statements where there is nothing to read, and places
// of those who left before they were answered.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import t from 'tap'
import { openEventStream, streamTimes } from '../../kernel/src/event-stream/event-stream.ts'
import { eventsAfter, pageBytes } from '../../kernel/src/event-stream/stored-event.ts'
import { createTenantFeeds } from '../../kernel/src/event-stream/tenant-feeds.ts'
import type { Located } from '../../kernel/src/stages.ts'
import { listenAt } from '../support/event-source.ts'
import { type HooksTenant, hooksLab } from '../support/hooks-lab.ts'
import { testLog } from '../support/kernel.ts'
import { until } from '../support/queue-lab.ts'

const lab = await hooksLab(t)
const { admin } = lab.database
const large = 200_000

/** The database, as somebody counts what it is asked, and may let it wait. */
function watched() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  const seen = { queries: 0 }
  const query = async (...asked: unknown[]) => {
    seen.queries += 1
    if (String(asked[0]).includes('unnest')) await opened
    return Reflect.apply(admin.query, admin, asked)
  }
  return { seen, open, pool: { query } as unknown as Pick<pg.Pool, 'query'> }
}

async function ringLarge(tenant: HooksTenant, times: number, before = 0): Promise<void> {
  await tenant.ring('large', times)
  const count = `select count(*)::int as count from kernel.outbox where tenant_id = $1 and position is not null`
  await until(
    async () => (await admin.query<{ count: number }>(count, [tenant.id])).rows[0]?.count,
    (found) => found === before + times,
  )
  await admin.query(
    `update kernel.outbox set payload = jsonb_build_object('note', repeat('x', ${large})) where tenant_id = $1`,
    [tenant.id],
  )
}

t.test('large events are read and kept some at a time, and none is missed', async (t) => {
  const tenant = await lab.open()
  const { seen, open, pool } = watched()
  const feeds = createTenantFeeds({ pool, log: testLog }, 50)
  t.teardown(() => feeds.close())
  await ringLarge(tenant, 1)
  const feed = await feeds.open(tenant.id)
  await ringLarge(tenant, 39, 1)
  const first = await eventsAfter(admin, tenant.id, 0, 200)
  t.equal(first.length, Math.ceil(pageBytes / large), 'a page of them')
  open()
  const positions: number[] = []
  for (let at = 0; positions.length < 40; ) {
    await feed.changed(at, 20_000, new AbortController().signal)
    const { events, upTo } = await feed.after(at)
    positions.push(...events.map(({ position }) => position))
    at = upTo
  }
  t.strictSame(
    positions,
    positions.toSorted((one, other) => one - other),
  )
  t.equal(new Set(positions).size, 40)
  let held = 0
  for (const position of positions.toReversed()) {
    const before = seen.queries
    await feed.after(position - 1)
    // The feed asks by itself too, but not between two lines.
    if (seen.queries - before === 0) held += 1
  }
  t.ok(held > 0 && held * large <= 4 * 1024 * 1024, `${held} are in memory`)
  feed.close()
})

t.test('where what was is no longer kept, nobody asks for it again and again', async (t) => {
  const tenant = await lab.open()
  const { seen, open, pool } = watched()
  open()
  const feeds = createTenantFeeds({ pool, log: testLog }, 60_000)
  t.teardown(() => feeds.close())
  await ringLarge(tenant, 3)
  const another = await feeds.open(tenant.id)
  t.ok(another.head > 0)
  await admin.query('delete from kernel.outbox where tenant_id = $1', [tenant.id])
  const stream = openEventStream({
    feed: await feeds.open(tenant.id),
    after: 0,
    types: ['*'],
    climb: async () => ({}) as Located,
    see: async (_, event) => event,
    log: testLog,
    times: streamTimes,
  })
  const before = seen.queries
  await sleep(1_000)
  t.ok(seen.queries - before < 10, `${seen.queries - before} statements in a second`)
  stream.end('CLOSING', 'x')
  another.close()
})

t.test('who leaves before he is answered leaves no place taken', async (t) => {
  const tenant = await lab.open()
  const { url, port } = await lab.kernel.listen()
  const head = Object.entries(tenant.headers).map(([name, value]) => `${name}: ${value}`)
  const asked = ['GET /v1/events HTTP/1.1', `host: 127.0.0.1:${port}`, ...head, '', ''].join('\r\n')
  for (let at = 0; at < 30; at += 1) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined)
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.write(asked)
    await sleep(at % 3)
    socket.destroy()
  }
  const clients = await until(
    async () => {
      const all = await Promise.all(Array.from({ length: 10 }, () => listenAt(url, tenant)))
      if (all.some(({ status }) => status !== 200)) all.forEach((client) => void client.cut())
      return all
    },
    (all) => all.every(({ status }) => status === 200),
  )
  t.equal(clients.length, 10)
  clients.forEach((client) => void client.cut())
})
