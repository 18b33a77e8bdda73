import { addDecimals, compareDecimals, isPluginError, money } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import type { OrderLine } from './entities/order.ts'
import {
  amountOf,
  checkItemsActive,
  checkItemsExist,
  checkLines,
  MOST_LINES,
  type OrderedItem,
  priced,
  totalOf,
  wantedOf,
} from './order-lines.ts'
import { checkDifference } from './quantities.ts'

const usd = (amount: string) => money(amount, 'USD')
const item = (id: string, more: Partial<OrderedItem> = {}): OrderedItem => ({
  id,
  sku: id.toUpperCase(),
  name: id,
  price: usd('2.00'),
  active: true,
  ...more,
})
const refusal = (judge: () => void): Record<string, unknown> | undefined => {
  try {
    judge()
  } catch (error) {
    if (isPluginError(error)) return { ...error.data, code: error.code }
    throw error
  }
  return undefined
}

t.test('a quantity that is no quantity is refused and its line named', async (t) => {
  const field = 'lines.1.quantity'
  for (const [quantity, code] of [
    ['0', 'QUANTITY_NOT_POSITIVE'],
    ['-1', 'QUANTITY_NOT_POSITIVE'],
    ['0.0000001', 'QUANTITY_TOO_FINE'],
    ['1234567890', 'QUANTITY_TOO_LARGE'],
  ] as const) {
    const lines = [
      { item: 'a', quantity: '1' },
      { item: 'a', quantity },
    ]
    t.match(
      refusal(() => checkLines(lines)),
      { code, field },
    )
  }
  t.match(
    refusal(() => checkDifference('0.00', 'quantity')),
    { code: 'QUANTITY_ZERO', field: 'quantity' },
  )
  t.equal(
    refusal(() => checkDifference('-0.5', 'quantity')),
    undefined,
  )
})

t.test('a price below zero and too many lines are refused', async (t) => {
  t.match(
    refusal(() => checkLines([{ item: 'a', quantity: '1', price: usd('-0.01') }])),
    { code: 'PRICE_NEGATIVE', field: 'lines.0.price', amount: '-0.01' },
  )
  t.match(
    refusal(() => checkLines([{ item: 'a', quantity: '1', price: usd('1234567890123456') }])),
    { code: 'PRICE_TOO_LARGE', field: 'lines.0.price' },
  )
  t.equal(
    refusal(() => checkLines([{ item: 'a', quantity: '1', price: usd('0') }])),
    undefined,
  )
  const many = Array.from({ length: MOST_LINES + 1 }, () => ({ item: 'a', quantity: '1' }))
  t.match(
    refusal(() => checkLines(many)),
    { code: 'ORDER_TOO_LONG', count: MOST_LINES + 1, field: 'lines' },
  )
})

t.test('an item that is unknown or inactive is refused and its line named', async (t) => {
  const lines = [
    { item: 'a', quantity: '1' },
    { item: 'b', quantity: '1' },
  ]
  t.match(
    refusal(() => checkItemsExist(lines, [item('a')])),
    { code: 'ITEM_UNKNOWN', field: 'lines.1.item' },
  )
  t.match(
    refusal(() => checkItemsActive(lines, [item('a'), item('b', { active: false })])),
    { code: 'ITEM_INACTIVE', sku: 'B', field: 'lines.1.item' },
  )
})

t.test('a line costs its own price, or its item', async (t) => {
  const lines = priced(
    [
      { item: 'a', quantity: '1.5' },
      { item: 'a', quantity: '1', price: usd('1.33') },
    ],
    [item('a')],
  )
  t.same(lines.map(amountOf), [usd('3.00'), usd('1.33')])
  t.same(totalOf(lines), usd('4.33'))
  t.match(
    refusal(() => priced([], [])),
    { code: 'ORDER_EMPTY', field: 'lines' },
  )
  const mixed = [
    { item: 'a', quantity: '1' },
    { item: 'a', quantity: '1', price: money('1', 'EUR') },
  ]
  t.match(
    refusal(() => priced(mixed, [item('a')])),
    { code: 'ORDER_CURRENCIES', currency: 'EUR', first: 'USD', field: 'lines.1.price' },
  )
})

t.test('each item is wanted once, always in the order of the ids', async (t) => {
  const line = fc.record({
    item: fc.constantFrom('a', 'b', 'c', 'd'),
    quantity: fc.integer({ min: 1, max: 999 }).map((n) => (n / 10).toFixed(1)),
  })
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const wanted = wantedOf(lines)
      const ids = wanted.map((one) => one.item)
      const sum = (of: readonly { quantity: string }[]) =>
        of.map(({ quantity }) => quantity).reduce(addDecimals, '0')
      return (
        JSON.stringify(ids) === JSON.stringify([...new Set(lines.map((one) => one.item))].sort()) &&
        compareDecimals(sum(wanted), sum(lines)) === 0
      )
    }),
  )
  const lines: OrderLine[] = [
    { item: 'b', quantity: '1' },
    { item: 'a', quantity: '1' },
    { item: 'a', quantity: '1' },
  ]
  t.same(
    wantedOf(lines).map(({ field }) => field),
    ['lines.1.quantity', 'lines.0.quantity'],
  )
})
