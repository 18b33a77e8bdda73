// Orders over HTTP: from the receipt of goods to the shipment, with the cost of goods in finance's books in the same
// commit; what is refused, and who may do what.
import t from 'tap'
import { wrongInBooks } from '../support/order-checks.ts'
import { draftOrder, take } from '../support/order-run.ts'
import { shopKernel } from '../support/shop.ts'

const orders = '/v1/oms/orders'
const usd = (amount: string) => ({ amount, currency: 'USD' })

t.test('a shop', async (t) => {
  const shop = await shopKernel(t, { items: 3, stock: '10' })
  const { owner, kernel, tenant, items, accounts } = shop
  const { admin } = kernel.database
  const [a = '', b = '', c = ''] = items
  const soundly = async (t: { same(found: unknown, wanted: unknown): unknown }) =>
    t.same(await wrongInBooks(admin, tenant.id), [])
  const entries = async (reference: string) =>
    (await owner('GET', `/v1/finance/journal-entries?reference=${reference}`)).body['items'] as {
      status: string
      lines: object[]
    }[]
  const draft = (...lines: [string, string][]) =>
    draftOrder(
      owner,
      lines.map(([item, quantity]) => ({ item, quantity })),
    )

  await t.test('goods that come in are worth what they cost, in the stock and in the books', async (t) => {
    const receipt = { item: a, quantity: '10', unitCost: usd('5.00'), reference: 'DN-77', date: '2026-03-01' }
    const reply = await owner('POST', '/v1/oms/receipts', receipt)
    t.match(reply, { status: 200, body: { item: a, onHand: '20', reserved: '0', value: usd('50.00') } })
    t.same(await shop.stockOf(a), { onHand: '20', reserved: '0', value: '90.00' })
    t.match(await entries('DN-77'), [
      {
        status: 'posted',
        date: '2026-03-01',
        lines: [
          { account: accounts.inventoryAccount, debit: usd('50.00') },
          { account: accounts.receiptAccount, credit: usd('50.00') },
        ],
      },
    ])
    const moves = await owner('GET', `/v1/oms/stock-moves?item=${a}&sort=-date`)
    t.match(moves.body['items'], [
      { kind: 'receipt', onHand: '10' },
      { kind: 'receipt', onHand: '10' },
    ])
    await soundly(t)
  })

  await t.test('an order is drafted, confirmed and shipped', async (t) => {
    const order = {
      customer: 'Ada Ltd',
      date: '2026-03-30',
      lines: [
        { item: b, quantity: '2' },
        { item: a, quantity: '3', price: usd('12.50') },
        { item: a, quantity: '1' },
      ],
    }
    const made = await owner('POST', orders, order)
    t.match(made, { status: 201, body: { status: 'draft', number: undefined } })
    const path = `${orders}/${made.body['id']}`
    t.match(await owner('POST', `${path}/ship`, {}), { status: 409, body: { code: 'TRANSITION_INVALID' } })

    const confirmed = await owner('POST', `${path}/confirm`)
    t.match(confirmed, {
      status: 200,
      body: { status: 'confirmed', number: 'SO-2026-00001', total: usd('67.50') },
    })
    t.match(confirmed.body['lines'], [
      { price: usd('10.00') },
      { price: usd('12.50') },
      { price: usd('10.00') },
    ])
    t.same(await shop.stockOf(a), { onHand: '20', reserved: '4', value: '90.00' })
    t.same(await shop.stockOf(b), { onHand: '10', reserved: '2', value: '40.00' })

    const shipped = await owner('POST', `${path}/ship`, { date: '2026-03-31' })
    t.match(shipped, {
      status: 200,
      body: { status: 'shipped', shippedOn: '2026-03-31', cost: usd('26.00') },
    })
    t.same(await shop.stockOf(a), { onHand: '16', reserved: '0', value: '72.00' })
    t.same(await shop.stockOf(b), { onHand: '8', reserved: '0', value: '32.00' })
    const [entry, ...others] = await entries('SO-2026-00001')
    t.same(others, [])
    t.match(entry, {
      id: shipped.body['costEntry'],
      date: '2026-03-31',
      lines: [
        { account: accounts.costAccount, debit: usd('26.00') },
        { account: accounts.inventoryAccount, credit: usd('26.00') },
      ],
    })
    const { rows } = await admin.query(
      `select payload from kernel.outbox where module = 'oms' and event = 'order.shipped'`,
    )
    t.match(rows, [
      {
        payload: {
          order: made.body['id'],
          number: 'SO-2026-00001',
          customer: 'Ada Ltd',
          date: '2026-03-31',
          total: usd('67.50'),
          lines: [
            { quantity: '2', amount: usd('20.00') },
            { amount: usd('37.50') },
            { amount: usd('10.00') },
          ],
        },
      },
    ])
    t.match(await owner('POST', `${path}/ship`, {}), { status: 409 })
    t.match(await owner('POST', `${path}/cancel`, {}), { status: 409 })
    await soundly(t)
  })

  await t.test('all of an order is reserved or nothing, and the refusal says what is short', async (t) => {
    const order = await draft([b, '3'], [c, '11'])
    const refused = await owner('POST', `${orders}/${order}/confirm`)
    const sku = String((await owner('GET', `/v1/oms/items/${c}`)).body['sku'])
    t.match(refused, {
      status: 409,
      body: {
        code: 'OUT_OF_STOCK',
        item: c,
        sku,
        available: '10',
        wanted: '11',
        errors: [{ field: 'lines.1.quantity' }],
      },
    })
    t.match(await shop.stockOf(b), { reserved: '0' })
    t.match(await owner('GET', `${orders}/${order}`), { body: { status: 'draft', number: undefined } })
    await soundly(t)
  })

  await t.test('a cancelled order gives back what it had reserved', async (t) => {
    const order = await draft([b, '8'])
    t.equal(await take(owner, order, 'confirm'), undefined)
    const next = await draft([b, '1'])
    t.equal(await take(owner, next, 'confirm'), 'OUT_OF_STOCK')
    const reply = await owner('POST', `${orders}/${order}/cancel`, { reason: 'Changed his mind' })
    t.match(reply, { status: 200, body: { status: 'cancelled', reason: 'Changed his mind' } })
    t.equal(await take(owner, next, 'confirm'), undefined)
    t.equal(await take(owner, next, 'cancel'), undefined)
    t.equal(await take(owner, await draft([b, '1']), 'cancel'), undefined, 'a draft as well')
    t.match(await shop.stockOf(b), { onHand: '8', reserved: '0' })
    await soundly(t)
  })

  await t.test('what finance refuses is not shipped: nothing is kept of it', async (t) => {
    const order = await draft([a, '2'])
    t.equal(await take(owner, order, 'confirm'), undefined)
    const settings = '/v1/tenant/settings/finance'
    await owner('PATCH', settings, { lockedThrough: '2026-03-31' })
    const refused = await owner('POST', `${orders}/${order}/ship`, { date: '2026-03-31' })
    t.match(refused, { status: 422, body: { code: 'PERIOD_LOCKED' } })
    t.match(await shop.stockOf(a), { onHand: '16', reserved: '2', value: '72.00' })
    t.match(await owner('GET', `${orders}/${order}`), { body: { status: 'confirmed', cost: undefined } })
    const { rows } = await admin.query(
      `select count(*)::int as n from plugin_oms.stock_move where "order" = $1::uuid and kind = 'shipment'
       union all select count(*)::int from kernel.outbox where payload->>'order' = $1::text and event = 'order.shipped'`,
      [order],
    )
    t.same(rows, [{ n: 0 }, { n: 0 }])
    await owner('PATCH', settings, { lockedThrough: null })
    t.match(await owner('POST', `${orders}/${order}/ship`, { date: '2026-03-31' }), { status: 200 })
    await soundly(t)
  })

  await t.test('a count is corrected at the average cost, and never below what is promised', async (t) => {
    const order = await draft([c, '9'])
    t.equal(await take(owner, order, 'confirm'), undefined)
    const correct = (quantity: string) =>
      owner('POST', '/v1/oms/corrections', { item: c, quantity, reason: 'Count of March' })
    t.match(await correct('-2'), { status: 409, body: { code: 'OUT_OF_STOCK', available: '1' } })
    t.match(await correct('-1'), { status: 200, body: { onHand: '9', value: usd('-4.00') } })
    t.match(await correct('2'), { status: 200, body: { onHand: '11', value: usd('8.00') } })
    t.match(await correct('0'), {
      status: 422,
      body: { code: 'QUANTITY_ZERO', errors: [{ field: 'quantity' }] },
    })
    t.equal(await take(owner, order, 'cancel'), undefined)
    await soundly(t)
  })

  await t.test('stock has no other way in: neither it nor its moves are made up', async (t) => {
    const { body } = await owner('GET', `/v1/oms/stock?item=${a}`)
    const [stock] = body['items'] as { id: string }[]
    const move = { kind: 'receipt', date: '2026-03-31', item: a, stock: stock?.id, value: usd('0') }
    const refused = { status: 422, body: { code: 'STOCK_BY_ACTION' } }
    t.match(await owner('POST', '/v1/oms/stock-moves', { ...move, onHand: '5', reserved: '0' }), refused)
    t.match(await owner('POST', '/v1/oms/stock-moves', { ...move, onHand: '0', reserved: '0' }), refused)
    t.match(await owner('PATCH', `/v1/oms/stock/${stock?.id}`, { onHand: '500' }), refused)
    t.match(await owner('DELETE', `/v1/oms/stock/${stock?.id}`), {
      status: 409,
      body: { code: 'RECORD_IN_USE' },
    })
    const { items } = (await owner('GET', `/v1/oms/stock-moves?item=${a}`)).body as {
      items: { id: string }[]
    }
    t.match(await owner('DELETE', `/v1/oms/stock-moves/${items[0]?.id}`), {
      status: 409,
      body: { code: 'RECORD_IMMUTABLE' },
    })
    await soundly(t)
  })

  await t.test('an order that was promised is neither changed nor deleted', async (t) => {
    const order = await draft([a, '1'])
    t.match(await owner('PATCH', `${orders}/${order}`, { lines: [{ item: a, quantity: '2' }] }), {
      status: 200,
    })
    t.equal(await take(owner, order, 'confirm'), undefined)
    const fixed = { status: 409, body: { code: 'ORDER_FIXED' } }
    t.match(await owner('PATCH', `${orders}/${order}`, { lines: [{ item: a, quantity: '1' }] }), fixed)
    t.match(await owner('PATCH', `${orders}/${order}`, { customer: 'Eve' }), fixed)
    t.match(await owner('DELETE', `${orders}/${order}`), { status: 409, body: { code: 'RECORD_IN_USE' } })
    t.equal(await take(owner, order, 'cancel'), undefined)
    await soundly(t)
  })

  await t.test('what makes no sense is refused with its field', async (t) => {
    const refuse = async (values: object, field: string, code: string) => {
      const order = { customer: 'Ada', date: '2026-03-31', lines: [{ item: a, quantity: '1' }], ...values }
      const reply = await owner('POST', orders, order)
      t.match(
        reply,
        { status: 422, body: { errors: [{ field, code }] } },
        `${code} ${JSON.stringify(reply.body)}`,
      )
    }
    await refuse({ lines: [{ item: a, quantity: '0' }] }, 'lines.0.quantity', 'QUANTITY_NOT_POSITIVE')
    await refuse({ lines: [{ item: tenant.id, quantity: '1' }] }, 'lines.0.item', 'ITEM_UNKNOWN')
    await refuse({ total: usd('1.00') }, 'total', 'ORDER_FIELD_BY_ACTION')
    await refuse({ cost: usd('0.00') }, 'cost', 'ORDER_FIELD_BY_ACTION')
    const dear = { item: a, quantity: '999999999.999999', price: usd('999999999999999.99') }
    const most = (await owner('POST', orders, { customer: 'Ada', date: '2026-03-31', lines: [dear] })).body
    t.equal(await take(owner, String(most['id']), 'confirm'), 'OUT_OF_STOCK', 'the largest there may be')
    const empty = await draftOrder(owner, [])
    t.equal(await take(owner, empty, 'confirm'), 'ORDER_EMPTY')
    const receipt = { item: a, quantity: '1', unitCost: { amount: '1.00', currency: 'EUR' } }
    t.match(await owner('POST', '/v1/oms/receipts', receipt), {
      status: 422,
      body: { code: 'COST_CURRENCY', errors: [{ field: 'unitCost' }] },
    })
    t.match(await owner('POST', '/v1/oms/items', { sku: 'N', name: 'N', price: usd('-1.00') }), {
      status: 422,
      body: { errors: [{ field: 'price', code: 'PRICE_NEGATIVE' }] },
    })
    t.match(await owner('POST', '/v1/oms/items', { sku: 'SKU-1', name: 'Again', price: usd('1.00') }), {
      status: 409,
      body: { code: 'RECORD_CONFLICT' },
    })
  })

  await t.test('without accounts nothing ships, and the refusal names the setting', async (t) => {
    const order = await draft([a, '1'])
    t.equal(await take(owner, order, 'confirm'), undefined)
    await owner('PATCH', '/v1/tenant/settings/oms', { costAccount: null })
    t.match(await owner('POST', `${orders}/${order}/ship`, {}), {
      status: 409,
      body: { code: 'SETTING_MISSING', setting: 'costAccount' },
    })
    await owner('PATCH', '/v1/tenant/settings/oms', { costAccount: accounts.costAccount })
    t.equal(await take(owner, order, 'ship'), undefined)
    await soundly(t)
  })

  await t.test('the longest order there may be goes all the way', async (t) => {
    const many = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const item = { sku: `L-${index}`, name: `Long ${index}`, price: usd('1.00') }
        const { body } = await owner('POST', '/v1/oms/items', item)
        const receipt = { item: body['id'], quantity: '1', unitCost: usd('0.33') }
        await owner('POST', '/v1/oms/receipts', receipt)
        return String(body['id'])
      }),
    )
    const order = await draft(...many.map((item): [string, string] => [item, '1']))
    t.equal(await take(owner, order, 'confirm'), undefined)
    t.match(await owner('POST', `${orders}/${order}/ship`, {}), { status: 200, body: { cost: usd('19.80') } })
    t.match(
      await owner('POST', orders, {
        customer: 'Ada',
        date: '2026-03-31',
        lines: [...many, a].map((item) => ({ item, quantity: '1' })),
      }),
      { status: 422, body: { code: 'ORDER_TOO_LONG' } },
    )
    await soundly(t)
  })

  await t.test('sales promises, the warehouse ships, and neither needs to read the ledger', async (t) => {
    const sales = await shop.join('oms', 'sales')
    const warehouse = await shop.join('oms', 'warehouse')
    const member = await kernel.addMember(tenant, 'member')
    const order = await draftOrder(sales, [{ item: a, quantity: '1' }])
    t.match(await member('POST', `${orders}/${order}/confirm`), { status: 403 })
    t.match(await warehouse('POST', `${orders}/${order}/confirm`), { status: 403 })
    t.match(await sales('POST', `${orders}/${order}/confirm`), { status: 200 })
    t.match(await sales('POST', `${orders}/${order}/ship`, {}), { status: 403 })
    t.match(await warehouse('GET', '/v1/finance/reports/trial-balance'), { status: 200 }, 'as every member')
    t.match(await warehouse('POST', '/v1/finance/accounts', {}), { status: 403 })
    t.match(await warehouse('POST', `${orders}/${order}/ship`, {}), { status: 200 })
    const receipt = { item: a, quantity: '1', unitCost: usd('4.00') }
    t.match(await sales('POST', '/v1/oms/receipts', receipt), { status: 403 })
    t.match(await warehouse('POST', '/v1/oms/receipts', receipt), { status: 200 })
    t.match(await member('GET', `${orders}/${order}`), { status: 200 })
    t.match(await member('POST', orders, {}), { status: 403 })
    await soundly(t)
  })

  await t.test('another tenant sees nothing of it', async (t) => {
    const other = await kernel.openTenant('finance', 'oms')
    t.match(await other.owner('GET', orders), { body: { items: [] } })
    const receipt = { item: a, quantity: '1', unitCost: usd('4.00') }
    t.match(await other.owner('POST', '/v1/oms/receipts', receipt), {
      status: 422,
      body: { code: 'ITEM_UNKNOWN', errors: [{ field: 'item' }] },
    })
  })

  await t.test('orders need finance, and finance does not need orders', async (t) => {
    const other = await kernel.openTenant()
    t.match(await other.owner('POST', '/v1/tenant/modules', { module: 'oms' }), {
      status: 409,
      body: { code: 'MODULE_REQUIRES_OTHERS' },
    })
    t.match(await other.owner('POST', '/v1/tenant/modules', { module: 'finance' }), { status: 201 })
    t.match(await other.owner('POST', '/v1/tenant/modules', { module: 'oms' }), { status: 201 })
    t.match(await other.owner('DELETE', '/v1/tenant/modules/finance'), {
      status: 409,
      body: { code: 'MODULE_REQUIRED_BY_OTHERS' },
    })
    t.match(await other.owner('DELETE', '/v1/tenant/modules/oms'), { status: 204 })
    t.match(await other.owner('DELETE', '/v1/tenant/modules/finance'), { status: 204 })
  })
})
