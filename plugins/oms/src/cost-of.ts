// What a part of a stock has cost, by the moving average. Pure.
//
// The stock keeps its value and not an average, which would have been rounded: what leaves takes its share of the value,
// and what leaves last takes the rest. So the costs of all that left and the value of what is left always add up to what
// was paid, to the last cent, and nothing on hand is worth nothing.

import { type Money, money, roundDecimal, scaleOf } from '@plinth/sdk'

/** The share of `value` that `quantity` of `onHand` has, half away from zero. `onHand` is greater than zero. */
export function costOf(quantity: string, onHand: string, value: Money): Money {
  const scale = Math.max(scaleOf(quantity), scaleOf(onHand))
  const decimals = scaleOf(value.amount)
  const part = unitsOf(quantity, scale)
  const whole = unitsOf(onHand, scale)
  const units = (2n * unitsOf(value.amount, decimals) * part + whole) / (2n * whole)
  const digits = units.toString().padStart(decimals + 1, '0')
  const at = digits.length - decimals
  return money(decimals === 0 ? digits : `${digits.slice(0, at)}.${digits.slice(at)}`, value.currency)
}

const unitsOf = (decimal: string, scale: number): bigint =>
  BigInt(roundDecimal(decimal, scale).replace('.', ''))
