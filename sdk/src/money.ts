// Arithmetic on money. Exact, and only within one currency: adding dollars to euros is an error, never a number.

import { minorUnits } from './currencies.ts'
import {
  addDecimals,
  compareDecimals,
  negateDecimal,
  roundDecimal,
  scaleOf,
  subtractDecimals,
} from './decimals.ts'
import type { Money } from './fields/values.ts'

/** Money with exactly the decimals of its currency: `money('12.5', 'USD')` is 12.50 USD. Too many decimals throw. */
export function money(amount: string, currency: string): Money {
  const decimals = decimalsOf(currency)
  if (scaleOf(amount) > decimals) {
    throw new RangeError(`${amount} ${currency} has more decimals than the ${decimals} of ${currency}.`)
  }
  return { amount: roundDecimal(amount, decimals), currency }
}

/** The amount to the currency's decimals, half away from zero: `roundMoney('0.125', 'USD')` is 0.13 USD. */
export const roundMoney = (amount: string, currency: string): Money => ({
  amount: roundDecimal(amount, decimalsOf(currency)),
  currency,
})

/** Nothing, in a currency. */
export const zeroMoney = (currency: string): Money => money('0', currency)

export const addMoney = (a: Money, b: Money): Money => money(addDecimals(a.amount, b.amount), same(a, b))
export const subtractMoney = (a: Money, b: Money): Money =>
  money(subtractDecimals(a.amount, b.amount), same(a, b))
export const negateMoney = (value: Money): Money => money(negateDecimal(value.amount), value.currency)

/** Below zero, zero or above, as `a` is less than, equal to or greater than `b`. */
export function compareMoney(a: Money, b: Money): -1 | 0 | 1 {
  same(a, b)
  return compareDecimals(a.amount, b.amount)
}

export const isZeroMoney = (value: Money): boolean => compareDecimals(value.amount, '0') === 0
export const isPositiveMoney = (value: Money): boolean => compareDecimals(value.amount, '0') > 0

/** The sum of `values`, all in `currency`; nothing sums to zero. */
export const sumMoney = (values: Iterable<Money>, currency: string): Money => {
  let sum = zeroMoney(currency)
  for (const value of values) sum = addMoney(sum, value)
  return sum
}

function same(a: Money, b: Money): string {
  if (a.currency === b.currency) return a.currency
  throw new RangeError(`${a.amount} ${a.currency} and ${b.amount} ${b.currency} are of different currencies.`)
}

function decimalsOf(currency: string): number {
  const decimals = minorUnits(currency)
  if (decimals === undefined) throw new RangeError(`'${currency}' is not an ISO 4217 currency code.`)
  return decimals
}
