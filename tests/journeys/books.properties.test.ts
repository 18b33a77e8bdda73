// Whatever is done to stock, orders, invoices and entries in whatever order, some of it at once, in currencies with no, two
// and three decimals: the books balance, and they say what the stock is worth and what was sold.
import fc from 'fast-check'
import t from 'tap'
import type { Config } from '../../kernel/src/config.ts'
import { testKernel } from '../support/kernel.ts'
import { queueEmpty, wrongInBooks } from '../support/order-checks.ts'
import { openShop } from '../support/order-run.ts'
import { withOrders } from '../support/shop.ts'

const runs = 8
const decimals = { USD: 2, JPY: 0, KWD: 3 } as const
type Currency = keyof typeof decimals
const currencies = Object.keys(decimals) as Currency[]
const money = (units: number, currency: Currency) => {
  const digits = decimals[currency]
  const text = String(units).padStart(digits + 1, '0')
  const at = text.length - digits
  return { amount: digits === 0 ? text : `${text.slice(0, at)}.${text.slice(at)}`, currency }
}

const quantity = fc.constantFrom('1', '2', '0.5', '7', '3.125', '0.333333')
const units = fc.constantFrom(0, 1, 7, 333, 1000)
const item = fc.nat({ max: 1 })
const lines = fc.array(fc.record({ item, quantity, price: fc.option(units) }), { minLength: 1, maxLength: 3 })
const order = fc.nat({ max: 5 })
const on = <const K extends string>(kind: K, weight: number) => ({
  weight,
  arbitrary: fc.record({ kind: fc.constant(kind), order }),
})
const act = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('receive' as const), item, quantity, cost: units }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('correct' as const),
      item,
      quantity: fc.constantFrom('-1', '-0.125', '0.25'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('draft' as const), lines }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('edit' as const), order, lines }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('sell' as const), lines }) },
  on('delete', 1),
  on('confirm', 3),
  on('ship', 3),
  on('cancel', 2),
  on('invoice', 3),
  on('void', 1),
  on('reverse', 1),
)
/** Each group is sent at once. */
const groups = fc.array(fc.array(act, { minLength: 2, maxLength: 7 }), { minLength: 8, maxLength: 14 })

const known =
  /^(200|201|204|OUT_OF_STOCK|TRANSITION_INVALID|ORDER_FIXED|RECORD_IMMUTABLE|RECORD_IN_USE|RECORD_NOT_FOUND|INVOICE_OWES_NOTHING|ENTRY_ALREADY_REVERSED)$/

t.test('the books under whatever is done', async (t) => {
  const rates = { rateAddress: 0, rateTenant: 0, rateUser: 0, retryFirstMs: 50, retryLongestMs: 400 }
  const { kernel, shops } = await openShops(t, rates)
  const { admin } = kernel.database
  const seen = new Map<string, number>()

  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...currencies), groups, async (currency, groups) => {
      const shop = shops[currency]
      const { owner } = shop
      const orders: string[] = []
      const linesOf = (wanted: { item: number; quantity: string; price: number | null }[]) =>
        wanted.map(({ item, quantity, price }) => ({
          item: shop.items[item],
          quantity,
          ...(price === null ? {} : { price: money(price, currency) }),
        }))
      const send = async (act: Act) => {
        switch (act.kind) {
          case 'receive': {
            const unitCost = money(act.cost, currency)
            return owner('POST', '/v1/oms/receipts', {
              item: shop.items[act.item],
              quantity: act.quantity,
              unitCost,
            })
          }
          case 'correct':
            return owner('POST', '/v1/oms/corrections', {
              item: shop.items[act.item],
              quantity: act.quantity,
              reason: 'Count',
            })
          case 'draft':
          case 'sell': {
            const values = { customer: 'Ada Ltd', date: '2026-03-31', lines: linesOf(act.lines) }
            const drafted = await owner('POST', '/v1/oms/orders', values)
            const id = String(drafted.body['id'])
            orders.push(id)
            if (act.kind === 'draft') return drafted
            const confirmed = await owner('POST', `/v1/oms/orders/${id}/confirm`)
            return confirmed.status === 200 ? owner('POST', `/v1/oms/orders/${id}/ship`, {}) : confirmed
          }
        }
        const order = orders[act.order % Math.max(orders.length, 1)]
        if (order === undefined) return undefined
        const path = `/v1/oms/orders/${order}`
        switch (act.kind) {
          case 'edit':
            return owner('PATCH', path, { lines: linesOf(act.lines) })
          case 'delete':
            return owner('DELETE', path)
          case 'confirm':
          case 'ship':
          case 'cancel':
            return owner('POST', `${path}/${act.kind}`, {})
        }
        const { body } = await owner('GET', `/v1/finance/invoices?order=${order}`)
        const [invoice] = body['items'] as { id: string; entry?: string }[]
        if (!invoice) return undefined
        if (act.kind !== 'reverse')
          return owner('POST', `/v1/finance/invoices/${invoice.id}/${act.kind === 'void' ? 'void' : 'post'}`)
        if (invoice.entry === undefined) return undefined
        return owner('POST', `/v1/finance/journal-entries/${invoice.entry}/reverse`, { date: '2026-12-31' })
      }
      const sound = async (invoiced: boolean) => {
        const wrong = await wrongInBooks(admin, shop.id, { invoiced })
        if (wrong.length > 0) throw new Error(wrong.join('\n'))
      }
      for (const group of groups) {
        const replies = await Promise.all(group.map(async (act) => [act.kind, await send(act)] as const))
        for (const [kind, reply] of replies) {
          if (!reply) continue
          const outcome = String(reply.body['code'] ?? reply.status)
          if (!known.test(outcome)) throw new Error(`${kind} answered ${JSON.stringify(reply.body)}`)
          seen.set(`${kind} ${outcome}`, (seen.get(`${kind} ${outcome}`) ?? 0) + 1)
        }
        await sound(false)
        // What has shipped is invoiced before the next are sent, so that they have invoices to do something with.
        if (!replies.some(([kind, reply]) => reply?.status === 200 && /ship|sell/.test(kind))) continue
        await queueEmpty(admin, shop.id)
        await sound(true)
      }
      const { body } = await owner('GET', '/v1/finance/reports/trial-balance?asOf=2026-12-31')
      for (const { debit, credit } of body['totals'] as { debit: string; credit: string }[])
        if (debit !== credit) throw new Error(`the trial balance has ${debit} and ${credit}`)
    }),
    { numRuns: runs },
  )
  t.comment(JSON.stringify([...seen].sort()))
  for (const kind of ['receive', 'sell', 'edit'])
    t.ok((seen.get(`${kind} 200`) ?? 0) > 0, `some could ${kind}`)
})

type Act = typeof act extends fc.Arbitrary<infer A> ? A : never

async function openShops(t: Parameters<typeof testKernel>[0], overrides: Partial<Config>) {
  const kernel = await testKernel(t, { pluginsRoot: withOrders, ...overrides })
  const open = async (currency: Currency) => {
    const slug = `shop-${currency.toLowerCase()}`
    const owner = await kernel.signUp(slug)
    const must = async (path: string, body: object) => {
      const reply = await owner('POST', path, body)
      if (reply.status >= 300) throw new Error(JSON.stringify(reply.body))
      return String(reply.body['id'])
    }
    const id = await must('/v1/tenants', { name: slug, slug, currency })
    for (const module of ['finance', 'oms']) await must('/v1/tenant/modules', { module })
    const { accounts } = await openShop(owner, { items: 0, stock: '1', currency })
    const items: string[] = []
    for (const sku of ['A', 'B']) {
      const item = await must('/v1/oms/items', { sku, name: sku, price: money(1000, currency) })
      await must('/v1/oms/receipts', { item, quantity: '9', unitCost: money(333, currency) })
      items.push(item)
    }
    return { id, owner, accounts, items }
  }
  return { kernel, shops: { USD: await open('USD'), JPY: await open('JPY'), KWD: await open('KWD') } }
}
