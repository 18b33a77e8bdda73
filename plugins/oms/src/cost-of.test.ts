import {
  addDecimals,
  addMoney,
  compareDecimals,
  type Money,
  money,
  subtractDecimals,
  subtractMoney,
} from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import { costOf } from './cost-of.ts'

const usd = (amount: string) => money(amount, 'USD')
const quantity = fc.integer({ min: 1, max: 1_000_000 }).map((units) => (units / 1000).toFixed(3))
const value = fc.integer({ min: 0, max: 10_000_000 }).map((cents) => usd((cents / 100).toFixed(2)))

t.test('a part costs its share of the value, half away from zero', async (t) => {
  t.same(costOf('1', '3', usd('10.00')), usd('3.33'))
  t.same(costOf('2', '3', usd('10.00')), usd('6.67'))
  t.same(costOf('0.5', '1.00', usd('0.01')), usd('0.01'))
  t.same(costOf('1', '3', money('10', 'JPY')), money('3', 'JPY'))
  t.same(costOf('1', '8', money('0.001', 'KWD')), money('0.000', 'KWD'))
  t.same(costOf('6', '3', usd('10.00')), usd('20.00'), 'what is found is worth what the others are')
})

t.test('all of it costs all of the value, and a part never more', async () => {
  fc.assert(
    fc.property(quantity, quantity, value, (part, more, value) => {
      const whole = addDecimals(part, more)
      const cost = costOf(part, whole, value)
      return (
        compareDecimals(cost.amount, '0') >= 0 &&
        compareDecimals(cost.amount, value.amount) <= 0 &&
        costOf(whole, whole, value).amount === value.amount
      )
    }),
  )
})

t.test('whatever leaves in parts has cost, in the end, what was paid', async () => {
  fc.assert(
    fc.property(fc.array(quantity, { minLength: 1, maxLength: 20 }), value, (parts, value) => {
      let onHand = parts.reduce(addDecimals, '0')
      let left: Money = value
      let spent = usd('0')
      for (const part of parts) {
        const cost = costOf(part, onHand, left)
        spent = addMoney(spent, cost)
        left = subtractMoney(left, cost)
        onHand = subtractDecimals(onHand, part)
      }
      return spent.amount === value.amount && compareDecimals(left.amount, '0') === 0
    }),
  )
})
