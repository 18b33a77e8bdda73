// What may go wrong beneath the work queue: a store that is emptied, exchanged or away, turns that come twice, two kernels,
// and a subscriber that takes its host with it. Nothing is lost and nothing is done twice.
import t from 'tap'
import { createKernel } from '../../kernel/src/kernel.ts'
import { testConfig, testLog } from '../support/kernel.ts'
import { allEnded, overBothStores, queueLab, quick, until } from '../support/queue-lab.ts'
import { hasRedis, noRedis, startRedis } from '../support/redis-server.ts'

const numbers = (entries: readonly { number: number }[]) =>
  entries.map(({ number }) => number).sort((one, other) => one - other)
const upTo = (count: number) => Array.from({ length: count }, (_, at) => at)

overBothStores(t, async (t, { config, redis }) => {
  const lab = await queueLab(t, config)
  const { admin } = lab.database
  const empty = async () => {
    if (redis) await redis.client.flushall()
    else await admin.query('truncate bullmq.job, bullmq.dedup, bullmq.dedup_next, bullmq.event cascade')
  }

  t.test('a store that is emptied while there is work loses nothing', async (t) => {
    const shop = await lab.openShop()
    const order = await shop.order()
    await shop.tell(order, 'wait100', 0, 20)
    await until(shop.entries, (all) => all.length > 1)
    await empty()
    await shop.tell(order, 'told', 20, 20)
    await empty()
    t.strictSame(numbers(await until(shop.entries, (all) => all.length >= 40, 40_000)), upTo(40))
    await until(shop.tasks, allEnded)
    t.strictSame(numbers(await shop.entries()), upTo(40), 'and does nothing twice')
  })

  t.test('two kernels on one database do each task once, however many turns there are', async (t) => {
    const second = await createKernel(
      testConfig(lab.database.adminUrl, { ...quick, ...config, pluginsRoot: lab.pluginsRoot }),
      testLog,
    )
    t.teardown(() => second.close())
    const shops = await Promise.all([lab.openShop(), lab.openShop(), lab.openShop()])
    await Promise.all(
      shops.map(async (shop) => {
        const orders = await Promise.all([shop.order(), shop.order()])
        for (let at = 0; at < 3; at += 1)
          await Promise.all(orders.map((order, which) => shop.tell(order, 'told', which * 100 + at * 30, 30)))
      }),
    )
    for (const shop of shops) {
      const entries = await until(shop.entries, (all) => all.length >= 180, 60_000)
      const all = upTo(90)
      t.strictSame(numbers(entries), [...all, ...all.map((number) => number + 100)])
      for (const from of [0, 100]) {
        const heard = entries
          .map(({ number }) => number)
          .filter((number) => number >= from && number < from + 100)
        t.strictSame(
          heard,
          all.map((number) => number + from),
          'in order',
        )
      }
    }
    const { rows } = await admin.query('select max(attempt) as most from kernel.task')
    t.equal(rows[0]?.most, 1, 'nobody began what another did')
  })

  t.test('a subscriber that ends its host is a dead letter, and the others go on', async (t) => {
    const shop = await lab.openShop()
    const [poison, calm] = [await shop.order(), await shop.order()]
    await shop.tell(poison, 'loop', 1)
    await shop.tell(poison, 'after', 2)
    await shop.tell(calm, 'calm', 3)
    const tasks = await until(shop.tasks, (all) => all.length === 3 && allEnded(all), 90_000)
    t.strictSame(
      tasks.map(({ state }) => state),
      ['dead', 'done', 'done'],
    )
    t.strictSame(numbers(await shop.entries()), [2, 3])
  })
})

t.test('duplicate turns of one lane find nothing to do twice', async (t) => {
  const lab = await queueLab(t)
  const shop = await lab.openShop()
  const order = await shop.order()
  await shop.tell(order, 'wait20', 0, 30)
  const { rows } = await lab.database.admin.query<{ id: number }>(
    'select count(*)::int as id from bullmq.job',
  )
  t.ok(rows.length > 0)
  await lab.database.admin.query(
    `insert into bullmq.job (queue, id, seq, name, state, data, opts, priority, delay_ms, max_attempts, added_at_ms)
     select 'events.books', 'double' || g, nextval('bullmq.job_seq'), 'turn', 'waiting',
            jsonb_build_object('tenant', $1::text, 'lane', ''), '{}', 0, 0, 1, 0 from generate_series(1, 20) g`,
    [shop.id],
  )
  await shop.tell(order, 'told', 30, 30)
  t.strictSame(
    (await until(shop.entries, (all) => all.length >= 60)).map(({ number }) => number),
    upTo(60),
  )
  await until(shop.tasks, allEnded)
  t.equal((await shop.entries()).length, 60)
})

t.test('from one store to the other and back', hasRedis() ? {} : { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const lab = await queueLab(t)
  const { admin, adminUrl } = lab.database
  const shop = await lab.openShop()
  const order = await shop.order()
  await admin.query(`insert into kernel.task_pause (id, paused_by) values (gen_random_uuid(), 'test')`)
  await shop.tell(order, 'told', 0, 20)
  await until(shop.tasks, (all) => all.length === 20)
  await lab.kernel.close()
  t.equal((await shop.entries()).length, 0, 'what is paused is not done')
  const other = await createKernel(
    testConfig(adminUrl, { ...quick, redisUrl: redis.url, pluginsRoot: lab.pluginsRoot }),
    testLog,
  )
  await admin.query('delete from kernel.task_pause')
  t.strictSame(numbers(await until(shop.entries, (all) => all.length >= 20)), upTo(20))
  await redis.kill()
  await new Promise((resolve) => setTimeout(resolve, 200))
  await redis.start()
  await admin.query(
    `insert into kernel.outbox (tenant_id, actor, request_id, module, event, payload, version)
     select $1, 'a', 'r', 'shop', 'order.told', jsonb_build_object('order', $2::text, 'say', 'told', 'number', g), '1.0.0'
       from generate_series(20, 39) g`,
    [shop.id, order],
  )
  t.strictSame(
    numbers(await until(shop.entries, (all) => all.length >= 40)),
    upTo(40),
    'also after Redis was away',
  )
  await other.close()
})
