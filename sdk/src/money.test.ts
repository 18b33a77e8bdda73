import { data } from 'currency-codes'
import fc from 'fast-check'
import t from 'tap'
import { currencyCodes, minorUnits } from './currencies.ts'
import type { Money } from './fields/values.ts'
import {
  addMoney,
  compareMoney,
  isPositiveMoney,
  isZeroMoney,
  money,
  negateMoney,
  roundMoney,
  subtractMoney,
  sumMoney,
  zeroMoney,
} from './money.ts'

const currency = fc.constantFrom('USD', 'JPY', 'KWD', 'CLF')
const minor = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n })
const inMinorUnits = (units: bigint, code: string): Money => {
  const decimals = minorUnits(code) ?? 0
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  return {
    amount: `${units < 0n ? '-' : ''}${whole}${decimals ? `.${digits.slice(-decimals)}` : ''}`,
    currency: code,
  }
}

t.test('the currencies and their decimals are those of ISO 4217', async (t) => {
  const codes = data.map(({ code }) => code)
  t.same(currencyCodes(), [...new Set([...codes, 'XCG'])].sort())
  t.equal(minorUnits('XCG'), 2, 'newer than that list')
  for (const { code, digits } of data) t.equal(minorUnits(code), digits, code)
  t.equal(minorUnits('usd'), undefined)
  t.equal(minorUnits('constructor'), undefined)
})

t.test('money adds up as whole minor units do', async () => {
  fc.assert(
    fc.property(fc.array(minor, { maxLength: 30 }), currency, (amounts, code) => {
      const sum = sumMoney(
        amounts.map((units) => inMinorUnits(units, code)),
        code,
      )
      const expected = inMinorUnits(
        amounts.reduce((a, b) => a + b, 0n),
        code,
      )
      return sum.amount === expected.amount && sum.currency === code
    }),
  )
})

t.test('subtraction, negation and comparison agree', async () => {
  fc.assert(
    fc.property(minor, minor, currency, (x, y, code) => {
      const a = inMinorUnits(x, code)
      const b = inMinorUnits(y, code)
      const difference = subtractMoney(a, b)
      return (
        addMoney(difference, b).amount === a.amount &&
        addMoney(a, negateMoney(b)).amount === difference.amount &&
        compareMoney(a, b) === (x < y ? -1 : x > y ? 1 : 0) &&
        isZeroMoney(difference) === (x === y) &&
        isPositiveMoney(difference) === x > y
      )
    }),
  )
})

t.test('currencies do not mix', async (t) => {
  const dollars = money('1', 'USD')
  const euros = money('1', 'EUR')
  for (const mix of [addMoney, subtractMoney, compareMoney]) {
    t.throws(() => mix(dollars, euros), /different currencies/)
  }
  t.throws(() => sumMoney([dollars], 'EUR'), /different currencies/)
})

t.test('an amount has exactly the decimals of its currency', async (t) => {
  t.same(money('12.5', 'USD'), { amount: '12.50', currency: 'USD' })
  t.same(zeroMoney('JPY'), { amount: '0', currency: 'JPY' })
  t.same(zeroMoney('KWD'), { amount: '0.000', currency: 'KWD' })
  t.throws(() => money('12.505', 'USD'), /more decimals than the 2 of USD/)
  t.throws(() => money('1.0', 'JPY'), /more decimals than the 0 of JPY/)
  t.throws(() => money('1', 'XYZ'), /'XYZ' is not an ISO 4217 currency/)
  t.same(roundMoney('12.505', 'USD'), { amount: '12.51', currency: 'USD' })
  t.same(roundMoney('-0.5', 'JPY'), { amount: '-1', currency: 'JPY' })
})
