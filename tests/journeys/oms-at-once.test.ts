// Orders at the same moment: nothing is promised twice, nothing ships twice, and nobody waits in a circle.
import t from 'tap'
import { wrongInBooks } from '../support/order-checks.ts'
import { draftOrder, openShop, persist, runOrders, take } from '../support/order-run.ts'
import { shopKernel } from '../support/shop.ts'
import { someoneWaitsForALock } from '../support/waiting.ts'

const counted = (values: readonly unknown[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1
  return counts
}

t.test('a shop with many customers', async (t) => {
  // Everybody comes at once from one address.
  const rates = { rateAddress: 0, rateTenant: 0, rateUser: 0 }
  const shop = await shopKernel(t, { items: 3, stock: '50' }, rates)
  const { owner, items, kernel, tenant } = shop
  const [a = '', b = '', c = ''] = items
  const { admin } = kernel.database
  const soundly = async () => t.same(await wrongInBooks(admin, tenant.id), [])

  await t.test('of 200 orders on 50 units, 50 are confirmed', async (t) => {
    const ids: string[] = []
    for (let made = 0; made < 200; made += 20) {
      const some = Array.from({ length: 20 }, () => draftOrder(owner, [{ item: a, quantity: '1' }]))
      ids.push(...(await Promise.all(some)))
    }
    // Who finds no place among the tenant's requests is told to come again, as a client does.
    const outcomes = await Promise.all(
      ids.map((id) => persist(owner, 'POST', `/v1/oms/orders/${id}/confirm`)),
    )
    t.same(counted(outcomes.map(({ status, body }) => body['code'] ?? status)), {
      200: 50,
      OUT_OF_STOCK: 150,
    })
    t.match(await shop.stockOf(a), { onHand: '50', reserved: '50' })
    const numbers = outcomes.flatMap(({ status, body }) => (status === 200 ? [String(body['number'])] : []))
    const expected = Array.from({ length: 50 }, (_, index) => `SO-2026-${String(index + 1).padStart(5, '0')}`)
    t.same(numbers.sort(), expected, 'numbered without a gap')
    await soundly()
  })

  await t.test('one who comes while another reserves the last waits, and finds none', async (t) => {
    const order = await draftOrder(owner, [{ item: b, quantity: '1' }])
    await admin.query('begin')
    await admin.query(
      'update plugin_oms.stock set reserved = on_hand, moved_reserved = on_hand where item = $1',
      [b],
    )
    const confirming = owner('POST', `/v1/oms/orders/${order}/confirm`)
    await someoneWaitsForALock(admin)
    await admin.query('commit')
    t.match(await confirming, { status: 409, body: { code: 'OUT_OF_STOCK', available: '0' } })
    await admin.query('update plugin_oms.stock set reserved = 0, moved_reserved = 0 where item = $1', [b])
    await soundly()
  })

  await t.test('an order is shipped or cancelled, once, whoever asks for what at once', async (t) => {
    for (let round = 0; round < 5; round += 1) {
      const order = await draftOrder(owner, [{ item: c, quantity: '1' }])
      await take(owner, order, 'confirm')
      const path = `/v1/oms/orders/${order}`
      const steps = ['ship', 'cancel', 'ship', 'cancel', 'confirm']
      const replies = await Promise.all(steps.map((step) => owner('POST', `${path}/${step}`, {})))
      t.same(counted(replies.map(({ status, body }) => body['code'] ?? status)), {
        200: 1,
        TRANSITION_INVALID: 4,
      })
      const { status } = (await owner('GET', path)).body
      t.equal(status, replies[0]?.status === 200 || replies[2]?.status === 200 ? 'shipped' : 'cancelled')
    }
    await soundly()
  })

  await t.test('orders of the same items in opposite order do not wait in a circle', async (t) => {
    const other = await kernel.openTenant('finance', 'oms')
    const its = await openShop(other.owner, { items: 4, stock: '100' })
    t.equal((await runOrders(other.owner, its, 24, 12)).length, 24)
    t.same(await wrongInBooks(admin, other.id), [])
    const lines = [
      { item: b, quantity: '1' },
      { item: c, quantity: '1' },
    ]
    const ids = await Promise.all(
      Array.from({ length: 12 }, (_, index) => draftOrder(owner, index % 2 ? lines : lines.toReversed())),
    )
    const outcomes = await Promise.all(ids.map((id) => owner('POST', `/v1/oms/orders/${id}/confirm`)))
    t.same(counted(outcomes.map(({ status }) => status)), { 200: 12 })
    const endings = await Promise.all(
      ids.map((id, index) => owner('POST', `/v1/oms/orders/${id}/${index % 3 ? 'ship' : 'cancel'}`, {})),
    )
    t.same(counted(endings.map(({ status }) => status)), { 200: 12 })
    const { rows } = await admin.query(
      'select deadlocks::int from pg_stat_database where datname = current_database()',
    )
    t.same(rows, [{ deadlocks: 0 }])
    await soundly()
  })

  await t.test('goods that come in while they go out are all counted', async (t) => {
    const before = Number((await shop.stockOf(b)).onHand)
    const receipt = { item: b, quantity: '3', unitCost: { amount: '7.01', currency: 'USD' } }
    const ids = await Promise.all(
      Array.from({ length: 10 }, () => draftOrder(owner, [{ item: b, quantity: '2' }])),
    )
    const work = ids.flatMap((id) => [
      persist(owner, 'POST', '/v1/oms/receipts', receipt).then(({ status }) => status),
      take(owner, id, 'confirm').then((refused) => refused ?? take(owner, id, 'ship')),
    ])
    const done = await Promise.all(work)
    t.same(counted(done), { 200: 10, undefined: 10 })
    t.equal(Number((await shop.stockOf(b)).onHand), before + 10 * 3 - 10 * 2)
    await soundly()
  })

  await t.test('books, stock or orders that do not agree are found', async (t) => {
    const spoil = async (sql: string, found: RegExp) => {
      await admin.query('begin')
      await admin.query('set local session_replication_role = replica')
      const { rowCount } = await admin.query(sql)
      t.not(rowCount, 0, sql)
      t.match((await wrongInBooks(admin, tenant.id)).join(), found)
      await admin.query('rollback')
    }
    await spoil('delete from plugin_finance.journal_entry', /without exactly one posted entry/)
    await spoil(
      `update plugin_oms.order set status = 'confirmed' where status = 'shipped'`,
      /an entry of a cost without/,
    )
    await spoil(
      `update plugin_oms.order set status = 'cancelled' where status = 'shipped'`,
      /goods that left/,
    )
    await spoil(
      `update plugin_oms.order set status = 'draft' where status = 'confirmed'`,
      /a promise to an order/,
    )
    await spoil('update plugin_oms.stock set on_hand = on_hand + 1', /not what its moves come to/)
    await spoil('update plugin_oms.stock set value_amount = value_amount + 1', /not what the stock is worth/)
    await spoil('delete from plugin_finance.journal_entry where number like $$%1$$', /a series with a gap/)
    await spoil(
      'update plugin_finance.journal_entry_lines set debit_amount = 1 where debit_amount is not null',
      /debit and credit differ/,
    )
    await soundly()
  })
})
