// Whatever is done to the stock in whatever order, some of it at once: what is promised is there, what moved adds up, and
// what the goods cost is in the books.
import fc from 'fast-check'
import t from 'tap'
import { wrongInBooks } from '../support/order-checks.ts'
import { draftOrder } from '../support/order-run.ts'
import { shopKernel } from '../support/shop.ts'

const runs = 12
const quantity = fc.constantFrom('1', '2', '0.5', '7', '3.125')
const index = fc.nat({ max: 1 })
const act = fc.oneof(
  fc.record({
    kind: fc.constant('receive' as const),
    item: index,
    quantity,
    cost: fc.constantFrom('0.00', '0.01', '3.33', '10.00'),
  }),
  fc.record({
    kind: fc.constant('correct' as const),
    item: index,
    quantity: fc.constantFrom('-1', '-0.125', '0.25', '2'),
  }),
  fc.record({
    kind: fc.constant('draft' as const),
    lines: fc.array(fc.record({ item: index, quantity }), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constantFrom('confirm' as const, 'ship' as const, 'cancel' as const),
    order: fc.nat(),
  }),
)
/** Each group is sent at once. */
const groups = fc.array(fc.array(act, { minLength: 1, maxLength: 4 }), { minLength: 4, maxLength: 10 })

t.test('the stock under whatever is done to it', async (t) => {
  const shop = await shopKernel(t, { items: 2, stock: '5' }, { rateAddress: 0, rateTenant: 0, rateUser: 0 })
  const { owner, items, kernel, tenant } = shop
  const itemAt = (index: number) => items[index] ?? ''
  const seen = new Map<string, number>()
  const known = /^(200|201|OUT_OF_STOCK|TRANSITION_INVALID)$/

  await fc.assert(
    fc.asyncProperty(groups, async (groups) => {
      const orders: string[] = []
      for (const group of groups) {
        const outcomes = await Promise.all(
          group.map(async (act) => {
            if (act.kind === 'draft') {
              const lines = act.lines.map(({ item, quantity }) => ({ item: itemAt(item), quantity }))
              orders.push(await draftOrder(owner, lines))
              return '201'
            }
            const send = () => {
              switch (act.kind) {
                case 'receive': {
                  const unitCost = { amount: act.cost, currency: 'USD' }
                  const receipt = { item: itemAt(act.item), quantity: act.quantity, unitCost }
                  return owner('POST', '/v1/oms/receipts', receipt)
                }
                case 'correct': {
                  const count = { item: itemAt(act.item), quantity: act.quantity, reason: 'Count' }
                  return owner('POST', '/v1/oms/corrections', count)
                }
                default: {
                  const order = orders[act.order % Math.max(orders.length, 1)]
                  return order === undefined
                    ? undefined
                    : owner('POST', `/v1/oms/orders/${order}/${act.kind}`, {})
                }
              }
            }
            const reply = await send()
            return reply ? String(reply.body['code'] ?? reply.status) : '200'
          }),
        )
        for (const outcome of outcomes) {
          if (!known.test(outcome)) throw new Error(`it answered ${outcome}`)
          seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
        }
        const wrong = await wrongInBooks(kernel.database.admin, tenant.id)
        if (wrong.length > 0) throw new Error(wrong.join('\n'))
      }
    }),
    { numRuns: runs },
  )
  t.ok((seen.get('200') ?? 0) > 50, JSON.stringify([...seen]))
})
