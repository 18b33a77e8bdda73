// What modules do about each other's events, over both stores.
import t from 'tap'
import { allEnded, overBothStores, queueLab, until } from '../support/queue-lab.ts'

const states = (tasks: readonly { state: string }[]) => tasks.map(({ state }) => state)

overBothStores(t, async (t, { config }) => {
  const lab = await queueLab(t, config)

  t.test('an event is acted on once, after the commit, and never after a rollback', async (t) => {
    const shop = await lab.openShop()
    const order = await shop.order()
    t.equal(await shop.tell(order, 'rolled back'), 409)
    t.equal(await shop.tell(order, 'shipped', 7), 200)
    t.strictSame(await until(shop.entries, (all) => all.length > 0), [{ order, say: 'shipped', number: 7 }])
    t.match(await shop.tasks(), [{ name: 'shop.order.told', state: 'done', attempt: 1, error: null }])
    const { rows } = await lab.database.admin.query(
      'select version, subject, depth, position is not null as placed from kernel.outbox where tenant_id = $1',
      [shop.id],
    )
    t.strictSame(rows, [{ version: '1.0.0', subject: `shop.order:${order}`, depth: 0, placed: true }])
    const { rows: audit } = await lab.database.admin.query(
      `select actor, via from kernel.audit where tenant_id = $1 and module = 'books'`,
      [shop.id],
    )
    const { rows: asked } = await lab.database.admin.query(
      'select actor from kernel.outbox where tenant_id = $1',
      [shop.id],
    )
    t.equal(audit[0]?.actor, asked[0]?.actor, 'in the name of whoever caused it')
    t.match(audit[0]?.via, /^event:\d+$/)
  })

  t.test('events of one record arrive in their order, also when one fails at first', async (t) => {
    const shop = await lab.openShop()
    const orders = await Promise.all([shop.order(), shop.order(), shop.order()])
    await Promise.all(orders.map((order) => shop.tell(order, 'told', 0, 30)))
    await Promise.all(orders.map((order) => shop.tell(order, 'told', 30, 30)))
    const entries = await until(shop.entries, (all) => all.length >= 180)
    const expected = Array.from({ length: 60 }, (_, at) => at)
    for (const order of orders) {
      const heard = entries.filter((entry) => entry.order === order)
      t.strictSame(
        heard.map(({ number }) => number),
        expected,
      )
    }
  })

  t.test('what fails is tried again and then dead; later events of the record go on', async (t) => {
    const shop = await lab.openShop()
    const [order, other] = [await shop.order(), await shop.order()]
    await shop.tell(order, 'before', 1)
    await shop.tell(order, 'fail', 2)
    await shop.tell(order, 'after', 3)
    await shop.tell(other, 'elsewhere', 4)
    const tasks = await until(shop.tasks, (all) => all.length === 4 && allEnded(all))
    t.strictSame(states(tasks), ['done', 'dead', 'done', 'done'])
    t.match(tasks[1], { attempt: 3, error: { code: 'PLUGIN_FAILED', message: /the ink is dry/ } })
    const said = (await shop.entries()).map(({ say }) => say)
    t.strictSame([...said].sort(), ['after', 'before', 'elsewhere'], 'what threw has left nothing')
    t.ok(said.indexOf('before') < said.indexOf('after'))
  })

  /** As if it had been committed some time ago. */
  const told = (tenant: string, say: string, { version = '1.0.0', depth = 0, event = 'order.told' } = {}) =>
    lab.database.admin.query(
      `insert into kernel.outbox (tenant_id, actor, request_id, module, event, payload, version, depth)
       values ($1, 'a', 'r', 'shop', $2, $3, $4, $5)`,
      [tenant, event, JSON.stringify({ order: '', say, number: 1 }), version, depth],
    )

  t.test('an event knows how many led to it, and a chain that is too long ends', async (t) => {
    const shop = await lab.openShop()
    await told(shop.id, 'echo', { depth: 15 })
    await until(shop.tasks, allEnded)
    await told(shop.id, 'echo', { depth: 16 })
    const tasks = await until(shop.tasks, (all) => all.length === 2 && allEnded(all))
    t.match(tasks, [{ state: 'done' }, { state: 'dead', error: { code: 'LIMIT_EXCEEDED' } }])
    const { rows } = await lab.database.admin.query(
      `select depth from kernel.outbox where tenant_id = $1 and module = 'books'`,
      [shop.id],
    )
    t.strictSame(rows, [{ depth: 16 }])
  })

  t.test(
    'an event of a version that the subscriber does not understand is a dead letter at once',
    async (t) => {
      const shop = await lab.openShop()
      await told(shop.id, 'old', { version: '0.9.0' })
      t.match(await until(shop.tasks, allEnded), [
        {
          state: 'dead',
          attempt: 1,
          error: {
            code: 'EVENT_VERSION_MISMATCH',
            message:
              "The module 'books' understands the event 'shop.order.told' of versions '^1.0.0', and this one is of 0.9.0.",
          },
        },
      ])
    },
  )

  t.test('what a subscriber does not want afterwards is skipped', async (t) => {
    const shop = await lab.openShop()
    const { admin } = lab.database
    await admin.query(
      `insert into kernel.task_pause (id, tenant_id, paused_by) values (gen_random_uuid(), $1, 'test')`,
      [shop.id],
    )
    await told(shop.id, 'waits', { event: 'day.ended' })
    await until(shop.tasks, (all) => all.length === 1)
    await shop.owner('DELETE', '/v1/tenant/modules/books')
    await told(shop.id, 'missed', { event: 'day.ended' })
    await told(shop.id, 'wanted')
    await until(
      async () => (await admin.query('select from kernel.outbox where dispatched_at is null')).rowCount,
      (count) => count === 0,
    )
    await admin.query('delete from kernel.task_pause')
    await shop.owner('POST', '/v1/tenant/modules', { module: 'books' })
    const tasks = await until(shop.tasks, (all) => all.length === 2 && allEnded(all))
    t.match(tasks, [
      { name: 'shop.day.ended', state: 'skipped' },
      { name: 'shop.order.told', state: 'done' },
    ])
    t.match(await shop.entries(), [{ say: 'wanted' }])
  })

  t.test('a module that was switched off gets what it missed, in order, when it is back', async (t) => {
    const shop = await lab.openShop()
    const order = await shop.order()
    await shop.tell(order, 'told', 0)
    await until(shop.entries, (all) => all.length === 1)
    t.match(await shop.owner('DELETE', '/v1/tenant/modules/books'), { status: 204 })
    await shop.tell(order, 'told', 1, 20)
    await until(
      async () =>
        (await lab.database.admin.query('select from kernel.outbox where dispatched_at is null')).rowCount,
      (count) => count === 0,
    )
    t.equal((await shop.tasks()).length, 1, 'nobody makes tasks for who is not there')
    t.match(await shop.owner('POST', '/v1/tenant/modules', { module: 'books' }), { status: 201 })
    await shop.tell(order, 'told', 21)
    const entries = await until(shop.entries, (all) => all.length >= 22)
    t.strictSame(
      entries.map(({ number }) => number),
      Array.from({ length: 22 }, (_, at) => at),
    )
    t.ok((await shop.tasks()).every(({ state }) => state === 'done'))
  })

  t.test('a tenant that is suspended is held, and goes on when it may work again', async (t) => {
    const shop = await lab.openShop()
    const order = await shop.order()
    const { admin } = lab.database
    await admin.query(`update kernel.tenant set state = 'suspended' where id = $1`, [shop.id])
    await admin.query(
      `insert into kernel.outbox (tenant_id, actor, request_id, module, event, payload, version)
       values ($1, 'a', 'r', 'shop', 'order.told', $2, '1.0.0')`,
      [shop.id, JSON.stringify({ order, say: 'held', number: 1 })],
    )
    await until(shop.tasks, (all) => all.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    t.match(await shop.tasks(), [{ state: 'waiting', attempt: 0 }])
    await admin.query(`update kernel.tenant set state = 'active' where id = $1`, [shop.id])
    t.match(await until(shop.tasks, allEnded), [{ state: 'done', attempt: 1 }])
  })

  t.test('one tenant with two thousand events does not keep another from its one', async (t) => {
    const [busy, calm] = [await lab.openShop(), await lab.openShop()]
    const order = await calm.order()
    for (let at = 0; at < 40; at += 1)
      t.match(await busy.owner('POST', '/v1/shop/tell-many', { say: `s`, count: 50 }), { status: 200 })
    await calm.tell(order, 'calm')
    await until(calm.entries, (all) => all.length === 1)
    const { length } = await busy.entries()
    t.ok(length < 1_500, `the other had done ${length} of 2000`)
    t.equal((await until(busy.entries, (all) => all.length >= 2_000, 120_000)).length, 2_000)
  })
})
