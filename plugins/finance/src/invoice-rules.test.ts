import { isPluginError, money } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import type { InvoiceLine } from './entities/invoice.ts'
import { checkInvoice, owed, totalOf } from './invoice-rules.ts'

const usd = (amount: string) => money(amount, 'USD')
const line = (quantity: string, price: string): InvoiceLine => ({
  description: 'Chair',
  quantity,
  price: usd(price),
})
const draft = (lines: readonly InvoiceLine[], more: object = {}) =>
  ({ lines, date: '2026-03-31', dueDate: '2026-04-30', status: 'draft', ...more }) as const
const refusal = (judge: () => unknown): Record<string, unknown> | undefined => {
  try {
    judge()
  } catch (error) {
    if (isPluginError(error)) return { ...error.data, code: error.code }
    throw error
  }
  return undefined
}

t.test('the total is the sum of the lines, each rounded once', async (t) => {
  t.same(totalOf([line('0.5', '0.01'), line('0.5', '0.01')]), usd('0.02'))
  t.same(totalOf([line('3', '10.00'), line('1', '-5.00')]), usd('25.00'), 'less a discount')
  t.equal(totalOf([]), undefined)
})

t.test('a draft may leave its total out, or say the right one', async () => {
  const lines = fc.array(
    fc
      .record({
        quantity: fc.integer({ min: 1, max: 99_999 }),
        price: fc.integer({ min: -9_999, max: 99_999 }),
      })
      .map(({ quantity, price }) => line((quantity / 1000).toFixed(3), (price / 100).toFixed(2))),
    { maxLength: 10 },
  )
  fc.assert(
    fc.property(lines, (lines) => {
      checkInvoice(draft(lines))
      const total = totalOf(lines)
      if (total) checkInvoice(draft(lines, { total }))
    }),
  )
})

t.test('what makes no sense is refused with its field', async (t) => {
  const one = line('2', '10.00')
  const refused = (invoice: ReturnType<typeof draft>) => refusal(() => checkInvoice(invoice))
  t.match(refused(draft([one, line('0', '1.00')])), { code: 'INVOICE_QUANTITY', field: 'lines.1.quantity' })
  t.match(refused(draft([line('1000000000', '1.00')])), { code: 'INVOICE_QUANTITY' })
  t.match(refused(draft([line('1', '-1234567890123456')])), { code: 'INVOICE_PRICE', field: 'lines.0.price' })
  t.match(refused(draft([one, { ...one, price: money('1', 'EUR') }])), {
    code: 'INVOICE_CURRENCIES',
    currency: 'EUR',
    first: 'USD',
    field: 'lines.1.price',
  })
  t.match(refused(draft([one], { dueDate: '2026-03-30' })), { code: 'INVOICE_DUE_BEFORE', field: 'dueDate' })
  t.match(refused(draft([one], { total: usd('20.01') })), {
    code: 'INVOICE_TOTAL',
    sum: '20.00 USD',
    field: 'total',
  })
  t.match(refused(draft([], { total: usd('0.00') })), { code: 'INVOICE_TOTAL', sum: 'nothing' })
  t.match(refused(draft([one], { entry: 'x' })), { code: 'INVOICE_ENTRY', field: 'entry' })
})

t.test('an invoice that is posted asks for something', async (t) => {
  t.same(owed([line('1', '0.01')]), usd('0.01'))
  for (const lines of [[], [line('1', '0.00')], [line('1', '1.00'), line('1', '-2.00')]])
    t.match(
      refusal(() => owed(lines)),
      { code: 'INVOICE_OWES_NOTHING', field: 'lines' },
    )
})
