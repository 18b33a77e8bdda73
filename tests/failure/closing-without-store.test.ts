// The store of turns goes away, or dead, and the kernel ends: that takes no longer than it may, and leaves no connection.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { postgresTurns, redisTurns } from '../../kernel/src/queue/turn-backends.ts'
import { createTurnStore, type TurnBackend } from '../../kernel/src/queue/turn-store.ts'
import { testDatabase } from '../support/database.ts'
import { type FrozenWay, frozenWay } from '../support/frozen-way.ts'
import { until } from '../support/queue-lab.ts'
import { hasRedis, noRedis, startRedis } from '../support/redis-server.ts'

const log = pino({ level: 'silent' })
const closeMs = 2_000
/** And a moment for the connections. */
const mostMs = closeMs + 3_000

async function workingStore(backend: TurnBackend) {
  const store = createTurnStore(backend, log)
  const ran: string[] = []
  for (const queue of ['events.a', 'events.b'])
    store.work(queue, 2, async ({ lane }) => {
      ran.push(lane)
      return 'empty'
    })
  const add = (lane: string) => store.addTurns([{ queue: 'events.a', tenant: randomUUID(), lane }])
  await add('first')
  await until(
    async () => ran,
    (all) => all.length > 0,
  )
  return { store, add }
}

async function closed(t: Test, store: { close(withinMs: number): Promise<void> }): Promise<void> {
  const began = performance.now()
  await Promise.race([store.close(closeMs), sleep(2 * mostMs)])
  const took = performance.now() - began
  t.ok(took < mostMs, `closed after ${Math.round(took)} ms`)
}

async function dead(t: Test, way: FrozenWay, backend: TurnBackend): Promise<void> {
  const { store, add } = await workingStore(backend)
  way.freeze()
  const lost = add('lost').then(
    () => 'added',
    () => 'refused',
  )
  t.equal(await Promise.race([lost, sleep(15_000, 'unheard')]), 'refused', 'who adds hears of it')
  await closed(t, store)
  t.equal(await way.thaw(), 0, 'and no connection is left')
}

t.test('a database that answers no more', async (t) => {
  const { access } = await testDatabase(t)
  const way = await frozenWay(t, Number(access.kernel.port))
  await dead(t, way, postgresTurns({ ...access.kernel, host: '127.0.0.1', port: way.port }, log))
})

t.test('a Redis that answers no more', hasRedis() ? {} : { skip: noRedis }, async (t) => {
  const { url } = await startRedis(t)
  const way = await frozenWay(t, Number(new URL(url).port))
  await dead(t, way, redisTurns(`redis://127.0.0.1:${way.port}`, 'closing', log))
})

t.test('a Redis that is away', hasRedis() ? {} : { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const { store } = await workingStore(redisTurns(redis.url, 'closing', log))
  await redis.kill()
  await sleep(300)
  await closed(t, store)
  await redis.start()
  await sleep(2_500)
  const clients = String(await redis.client.client('LIST'))
    .trim()
    .split('\n')
  t.equal(clients.length, 1, 'nobody comes back but the test itself')
})
