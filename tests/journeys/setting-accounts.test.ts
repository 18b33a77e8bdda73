// Accounts that settings name: refused when they are set and are not there, and, when they are no longer what they were,
// with the setting's name by whoever books with them. And accounts in use, which stay what they are.
import t from 'tap'
import { wrongInBooks } from '../support/order-checks.ts'
import { draftOrder, take } from '../support/order-run.ts'
import { shopKernel } from '../support/shop.ts'

const accounts = '/v1/finance/accounts'
const ofOms = '/v1/tenant/settings/oms'
const ofFinance = '/v1/tenant/settings/finance'
const usd = (amount: string) => ({ amount, currency: 'USD' })

t.test('accounts that settings name', async (t) => {
  const shop = await shopKernel(t, { items: 1, stock: '10' })
  const { owner, kernel, tenant, items } = shop
  const { admin } = kernel.database
  const [item = ''] = items
  const addAccount = async (code: string, type: string, send = owner) =>
    String((await send('POST', accounts, { code, name: code, type })).body['id'])

  await t.test('a setting names a record that is there, or is refused with its name', async (t) => {
    const elsewhere = await kernel.openTenant('finance')
    const nobodys = '019a0000-0000-7000-8000-000000000000'
    for (const id of [nobodys, await addAccount('1', 'asset', elsewhere.owner), item]) {
      const unknown = (field: string) => ({
        status: 422,
        body: { code: 'VALIDATION_FAILED', errors: [{ field, code: 'REFERENCE_NOT_FOUND' }] },
      })
      t.match(await owner('PATCH', ofOms, { costAccount: id }), unknown('costAccount'))
      t.match(
        await owner('PATCH', ofFinance, { revenueAccount: id, paymentDays: 3 }),
        unknown('revenueAccount'),
      )
    }
    t.equal((await owner('GET', ofOms)).body['costAccount'], shop.accounts.costAccount, 'as it was')
    t.equal((await owner('GET', ofFinance)).body['paymentDays'], 30, 'nothing else was set either')
  })

  await t.test('what can no longer be booked on is refused with the name of the setting', async (t) => {
    const order = await draftOrder(owner, [{ item, quantity: '1' }])
    t.equal(await take(owner, order, 'confirm'), undefined)
    const ship = () => owner('POST', `/v1/oms/orders/${order}/ship`, {})
    const refused = (setting: string, message: RegExp) => ({
      status: 409,
      body: { code: 'SETTING_ACCOUNT', setting, detail: message },
    })
    const gone = await addAccount('5900', 'expense')
    await owner('PATCH', ofOms, { costAccount: gone })
    await owner('PATCH', `${accounts}/${gone}`, { active: false })
    t.match(await ship(), refused('oms.costAccount', /names an account, 5900, that is not active/))
    t.equal((await owner('DELETE', `${accounts}/${gone}`)).status, 204)
    t.match(await ship(), refused('oms.costAccount', /names an account that does not exist/))
    await owner('PATCH', ofOms, { costAccount: shop.accounts.revenueAccount })
    t.match(await ship(), refused('oms.costAccount', /4000, of the type income where expense is needed/))
    t.match(await shop.stockOf(item), { onHand: '10', reserved: '1' })
    await owner('PATCH', ofOms, { costAccount: shop.accounts.costAccount })
    t.equal((await ship()).status, 200)

    const invoice = {
      customer: 'Ada',
      date: '2026-03-31',
      dueDate: '2026-03-31',
      lines: [{ description: 'x', quantity: '1', price: usd('1.00') }],
    }
    const { body } = await owner('POST', '/v1/finance/invoices', invoice)
    const post = () => owner('POST', `/v1/finance/invoices/${body['id']}/post`)
    await owner('PATCH', ofFinance, { receivableAccount: shop.accounts.receiptAccount })
    t.match(await post(), refused('finance.receivableAccount', /2100, of the type liability where asset/))
    await owner('PATCH', ofFinance, { receivableAccount: shop.accounts.receivableAccount })
    t.equal((await post()).status, 200)
    t.same(await wrongInBooks(admin, tenant.id), [])
  })

  await t.test('the type of an account is changed until something was posted to it', async (t) => {
    const fresh = await addAccount('7000', 'expense')
    const path = `${accounts}/${fresh}`
    const lines = [
      { account: fresh, debit: usd('1.00') },
      { account: shop.accounts.revenueAccount, credit: usd('1.00') },
    ]
    const entry = { date: '2026-03-31', description: 'Test', lines }
    const { body } = await owner('POST', '/v1/finance/journal-entries', entry)
    t.match(await owner('PATCH', path, { type: 'asset' }), { status: 200 }, 'a draft is not posted')
    t.match(await owner('POST', `/v1/finance/journal-entries/${body['id']}/post`), { status: 200 })
    t.match(await owner('PATCH', path, { type: 'income' }), {
      status: 409,
      body: { code: 'ACCOUNT_TYPE_FIXED', account: '7000', was: 'asset', errors: [{ field: 'type' }] },
    })
    t.match(await owner('PATCH', path, { name: 'Renamed', code: '7001', type: 'asset', active: false }), {
      status: 200,
      body: { name: 'Renamed', type: 'asset' },
    })
  })
})
