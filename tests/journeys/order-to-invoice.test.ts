// What ships is invoiced: once, however often it is told, over either store of the queue.
import t from 'tap'
import { queueEmpty, wrongInBooks } from '../support/order-checks.ts'
import { draftOrder, openShop, runOrder, runOrders, take } from '../support/order-run.ts'
import { overBothStores } from '../support/queue-lab.ts'
import { shopKernel } from '../support/shop.ts'

const invoices = '/v1/finance/invoices'
const usd = (amount: string) => ({ amount, currency: 'USD' })
const quick = { retryFirstMs: 50, retryLongestMs: 400, rateAddress: 0, rateTenant: 0, rateUser: 0 }

overBothStores(t, async (t, { config }) => {
  const shop = await shopKernel(t, { items: 4, stock: '500' }, { ...quick, ...config })
  const { owner, kernel, tenant } = shop
  const { admin } = kernel.database
  const invoicesOf = async (order: string) => {
    await queueEmpty(admin, tenant.id)
    const { body } = await owner('GET', `${invoices}?order=${order}`)
    return body['items'] as { id: string; status: string; number?: string }[]
  }
  const soundly = async () => {
    await queueEmpty(admin, tenant.id)
    t.same(await wrongInBooks(admin, tenant.id, { invoiced: true }), [])
  }

  await t.test('a shipped order has a draft invoice with what was sold, and it can be posted', async (t) => {
    const [first = '', second = ''] = shop.items
    const order = await draftOrder(owner, [
      { item: first, quantity: '1.5' },
      { item: second, quantity: '2' },
    ])
    t.equal(await take(owner, order, 'confirm'), undefined)
    t.same(await invoicesOf(order), [], 'not before it ships')
    t.match(await owner('POST', `/v1/oms/orders/${order}/ship`, { date: '2026-03-31' }), { status: 200 })
    const [invoice, ...others] = await invoicesOf(order)
    t.same(others, [])
    t.match(invoice, {
      status: 'draft',
      customer: 'Ada Ltd',
      orderNumber: 'SO-2026-00001',
      date: '2026-03-31',
      dueDate: '2026-04-30',
      total: usd('35.00'),
      lines: [
        { quantity: '1.5', price: usd('10.00'), description: /^SKU-\d Item \d$/ },
        { quantity: '2', price: usd('10.00') },
      ],
    })
    t.match(await owner('POST', `${invoices}/${invoice?.id}/post`), {
      status: 200,
      body: { status: 'posted', number: 'INV-2026-00001' },
    })
    const { body } = await owner('GET', '/v1/finance/reports/trial-balance?asOf=2026-03-31')
    const balances = (body['rows'] as { account: { code: string }; balance: string }[]).map(
      ({ account, balance }) => `${account.code} ${balance}`,
    )
    for (const balance of ['1200 35.00', '4000 -35.00', '5000 14.00'])
      t.ok(balances.includes(balance), balances.join())
    await soundly()
  })

  await t.test('a shipment that is told again and again leaves one invoice', async (t) => {
    const order = await runOrder(owner, shop, 0)
    t.equal((await invoicesOf(order)).length, 1)
    const told = `from kernel.outbox where tenant_id = '${tenant.id}' and event = 'order.shipped' and payload->>'order' = '${order}'`
    // The dispatcher forgets that it was here; the task is done another time; the event itself comes three times more.
    await admin.query(`update kernel.outbox set dispatched_at = null where id in (select id ${told})`)
    await admin.query(
      `update kernel.task set state = 'waiting', ended_at = null, attempt = 0, ready = true
        where event_id in (select id ${told})`,
    )
    await admin.query(
      `insert into kernel.outbox (tenant_id, actor, request_id, module, event, payload, version, subject)
       select o.tenant_id, o.actor, o.request_id, o.module, o.event, o.payload, o.version, o.subject
         from (select * ${told}) o cross join generate_series(1, 3)`,
    )
    t.equal((await invoicesOf(order)).length, 1)
    const { rows } = await admin.query(
      `select state, count(*)::int as n from kernel.task where event_id in (select id ${told}) group by state`,
    )
    t.same(rows, [{ state: 'done', n: 4 }])
    await soundly()
  })

  await t.test('an order that somebody invoiced by hand gets no second invoice', async (t) => {
    const [first = ''] = shop.items
    const order = await draftOrder(owner, [{ item: first, quantity: '1' }])
    await take(owner, order, 'confirm')
    const lines = [{ description: 'By hand', quantity: '1', price: usd('10.00') }]
    const byHand = {
      customer: 'Ada Ltd',
      order,
      date: '2026-03-31',
      dueDate: '2026-03-31',
      lines,
      total: usd('10.00'),
    }
    t.equal((await owner('POST', invoices, byHand)).status, 201)
    t.equal(await take(owner, order, 'ship'), undefined)
    t.match(await invoicesOf(order), [{ lines: [{ description: 'By hand' }] }])
    await soundly()
  })

  await t.test('a shipment on the last day there is has its invoice too', async (t) => {
    const [first = ''] = shop.items
    const order = await draftOrder(owner, [{ item: first, quantity: '1' }])
    await take(owner, order, 'confirm')
    t.match(await owner('POST', `/v1/oms/orders/${order}/ship`, { date: '9999-12-31' }), { status: 200 })
    t.match(await invoicesOf(order), [{ date: '9999-12-31', dueDate: '9999-12-31' }])
    await soundly()
  })

  await t.test('an invoice that was voided is not drafted again', async (t) => {
    const order = await runOrder(owner, shop, 1)
    const [invoice] = await invoicesOf(order)
    t.match(await owner('POST', `${invoices}/${invoice?.id}/void`), { status: 200 })
    await admin.query(
      `update kernel.task set state = 'waiting', ended_at = null, attempt = 0, ready = true
        where tenant_id = $1 and name = 'oms.order.shipped'`,
      [tenant.id],
    )
    t.match(await invoicesOf(order), [{ id: invoice?.id, status: 'void' }])
    await soundly()
  })

  await t.test('many orders at once, each with its cost entry and its invoice', async (t) => {
    const other = await kernel.openTenant('finance', 'oms')
    const its = await openShop(other.owner, { items: 4, stock: '1000' })
    const ids = await runOrders(other.owner, its, 60, 12)
    await queueEmpty(admin, other.id)
    t.same(await wrongInBooks(admin, other.id, { invoiced: true }), [])
    const { body } = await other.owner('GET', `${invoices}?limit=200`)
    const invoiced = (body['items'] as { order: string }[]).map(({ order }) => order)
    t.same(invoiced.sort(), ids.sort())
    t.same(await wrongInBooks(admin, tenant.id, { invoiced: true }), [], 'nobody else has any of it')
  })
})
