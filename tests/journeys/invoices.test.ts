// Invoices over HTTP, in a tenant that has no orders: drafted by hand, posted to the books, or void.
import t from 'tap'
import { testKernel } from '../support/kernel.ts'

const invoices = '/v1/finance/invoices'
const usd = (amount: string) => ({ amount, currency: 'USD' })

t.test('invoices', async (t) => {
  const kernel = await testKernel(t)
  const tenant = await kernel.openTenant('finance')
  const { owner } = tenant
  const account = async (code: string, type: string) =>
    String((await owner('POST', '/v1/finance/accounts', { code, name: code, type })).body['id'])
  const receivable = await account('1200', 'asset')
  const revenue = await account('4000', 'income')
  const values = {
    customer: 'Ada Ltd',
    date: '2026-03-31',
    dueDate: '2026-04-30',
    lines: [
      { description: 'Chair', quantity: '2', price: usd('40.00') },
      { description: 'Discount', quantity: '1', price: usd('-8.00') },
    ],
  }
  const draft = async (more: object = {}) => {
    const { body } = await owner('POST', invoices, { ...values, ...more })
    return `${invoices}/${body['id']}`
  }

  await t.test('an invoice is posted when the settings name the accounts, and is then owed', async (t) => {
    const path = await draft()
    t.match(await owner('POST', `${path}/post`), {
      status: 409,
      body: { code: 'SETTING_MISSING', setting: 'receivableAccount' },
    })
    const settings = { receivableAccount: receivable, revenueAccount: revenue }
    t.equal((await owner('PATCH', '/v1/tenant/settings/finance', settings)).status, 200)
    const posted = await owner('POST', `${path}/post`)
    t.match(posted, {
      status: 200,
      body: { status: 'posted', number: 'INV-2026-00001', total: usd('72.00') },
    })
    t.match(await owner('GET', `/v1/finance/journal-entries/${posted.body['entry']}`), {
      body: {
        status: 'posted',
        date: '2026-03-31',
        lines: [
          { account: receivable, debit: usd('72.00') },
          { account: revenue, credit: usd('72.00') },
        ],
      },
    })
    t.match(await owner('PATCH', path, { customer: 'Eve' }), {
      status: 409,
      body: { code: 'RECORD_IMMUTABLE' },
    })
    t.match(await owner('POST', `${path}/void`), { status: 409, body: { code: 'TRANSITION_INVALID' } })
    const { rows } = await kernel.database.admin.query(
      `select payload from kernel.outbox where event = 'invoice.posted'`,
    )
    t.match(rows, [{ payload: { total: usd('72.00'), entry: posted.body['entry'] } }])
  })

  await t.test('a draft that is void is never posted, and takes no number', async (t) => {
    const path = await draft()
    t.match(await owner('POST', `${path}/void`), { status: 200, body: { status: 'void', number: undefined } })
    t.match(await owner('POST', `${path}/post`), { status: 409, body: { code: 'TRANSITION_INVALID' } })
    t.match(await owner('POST', `${await draft()}/post`), { body: { number: 'INV-2026-00002' } })
  })

  await t.test('a locked period, nothing owed and a wrong total are refused', async (t) => {
    await owner('PATCH', '/v1/tenant/settings/finance', { lockedThrough: '2026-03-31' })
    const path = await draft()
    t.match(await owner('POST', `${path}/post`), { status: 422, body: { code: 'PERIOD_LOCKED' } })
    t.match(await owner('GET', path), { body: { status: 'draft', number: undefined, entry: undefined } })
    await owner('PATCH', '/v1/tenant/settings/finance', { lockedThrough: null })
    t.match(await owner('POST', `${await draft({ lines: [] })}/post`), {
      status: 422,
      body: { code: 'INVOICE_OWES_NOTHING', errors: [{ field: 'lines' }] },
    })
    t.match(await owner('POST', invoices, { ...values, total: usd('80.00') }), {
      status: 422,
      body: { code: 'INVOICE_TOTAL', errors: [{ field: 'total' }] },
    })
    t.match(await owner('POST', invoices, { ...values, dueDate: '2026-03-01' }), {
      status: 422,
      body: { errors: [{ field: 'dueDate' }] },
    })
  })

  await t.test('an order has one invoice', async (t) => {
    const order = tenant.id
    t.equal((await owner('POST', invoices, { ...values, order })).status, 201)
    t.match(await owner('POST', invoices, { ...values, order }), {
      status: 409,
      body: { code: 'RECORD_CONFLICT' },
    })
  })

  await t.test('a member reads invoices and makes none', async (t) => {
    const member = await kernel.addMember(tenant, 'member')
    t.equal((await member('GET', invoices)).status, 200)
    t.equal((await member('POST', invoices, values)).status, 403)
    t.equal((await member('POST', `${await draft()}/post`)).status, 403)
  })
})
