// The store of turns goes away and comes back, under workers that have begun and under some that begin meanwhile: the
// process stays as quick as it was, and every turn that is added afterwards is run.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import t from 'tap'
import { postgresTurns } from '../../kernel/src/queue/turn-backends.ts'
import { createTurnStore } from '../../kernel/src/queue/turn-store.ts'
import { testDatabase } from '../support/database.ts'
import { until } from '../support/queue-lab.ts'
import { shutDatabase } from '../support/shut-database.ts'

t.test('workers outlast a database that is gone for a while', async (t) => {
  const database = await testDatabase(t)
  const failures: string[] = []
  const log = pino({}, { write: (line: string) => void failures.push(JSON.parse(line).err?.message) })
  const store = createTurnStore(postgresTurns(database.access.kernel, log), log)
  t.teardown(() => store.close(6_000))
  const ran: string[] = []
  const work = (queue: string) =>
    store.work(queue, 2, async ({ lane }) => {
      ran.push(lane)
      return 'empty'
    })
  const add = (queue: string, lane: string) => store.addTurns([{ queue, tenant: randomUUID(), lane }])
  work('events.before')
  await add('events.before', 'first')
  await until(
    async () => ran,
    (all) => all.includes('first'),
  )

  const open = await shutDatabase(database.adminUrl)
  for (const queue of ['events.a', 'events.b', 'events.c']) work(queue)
  await t.rejects(add('events.a', 'lost'), 'who adds hears of it')
  failures.length = 0
  const began = performance.now()
  // In a worker that asks in a circle without end no timer is served.
  for (let turn = 0; turn < 100; turn += 1) await sleep(20)
  const seconds = (performance.now() - began) / 1000
  t.ok(failures.length < 20 * seconds, `a few attempts in ${seconds} s, and not ${failures.length}`)
  await open()

  await until(
    async () => {
      await add('events.a', 'second').catch(() => undefined)
      await add('events.before', 'third').catch(() => undefined)
      return ran
    },
    (all) => all.includes('second') && all.includes('third'),
  )
  t.notOk(ran.includes('lost'))
})

t.test('however many modules there are, some connection is left to work with', async (t) => {
  const database = await testDatabase(t)
  const log = pino({ level: 'silent' })
  const store = createTurnStore(postgresTurns(database.access.kernel, log), log)
  t.teardown(() => store.close(6_000))
  const queues = Array.from({ length: 70 }, (_, at) => `events.m${at}`)
  const ran = new Set<string>()
  for (const queue of queues)
    store.work(queue, 2, async () => {
      ran.add(queue)
      return 'empty'
    })
  const listening = await until(
    async () => {
      const { rows } = await database.admin.query<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity where datname = current_database() and application_name <> 'test-admin'`,
      )
      return rows[0]?.count ?? 0
    },
    (count) => count >= queues.length,
  )
  t.ok(listening >= queues.length, 'each listens')
  await store.addTurns(queues.map((queue) => ({ queue, tenant: randomUUID(), lane: '' })))
  await until(
    async () => ran.size,
    (size) => size === queues.length,
  )
  t.equal(ran.size, queues.length)
})
