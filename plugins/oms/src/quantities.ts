// What a quantity may be. Pure.

import { compareDecimals, isPositiveMoney, isZeroMoney, type Money, scaleOf } from '@plinth/sdk'
import { refuse } from './refuse.ts'

/** Grams of a ton. */
const MOST_DECIMALS = 6
/** Together, so that what comes of a quantity and a price still fits a field. */
const MOST_DIGITS = 9
const MOST_PRICE_DIGITS = 15

/** Greater than zero, and of a size that can be calculated with. `field` is its path in the request. */
export function checkQuantity(quantity: string, field: string): void {
  if (compareDecimals(quantity, '0') <= 0) refuse('QUANTITY_NOT_POSITIVE', { quantity, field })
  checkSize(quantity, field)
}

/** Greater or less than zero. */
export function checkDifference(quantity: string, field: string): void {
  if (compareDecimals(quantity, '0') === 0) refuse('QUANTITY_ZERO', { field })
  checkSize(quantity, field)
}

function checkSize(quantity: string, field: string): void {
  if (scaleOf(quantity) > MOST_DECIMALS) refuse('QUANTITY_TOO_FINE', { quantity, most: MOST_DECIMALS, field })
  if (digitsOf(quantity) > MOST_DIGITS) refuse('QUANTITY_TOO_LARGE', { most: MOST_DIGITS, field })
}

/** Before the point. */
const digitsOf = (decimal: string): number => decimal.replace('-', '').split('.')[0]?.length ?? 0

/** Zero or more: what is given away costs nothing, and nothing costs less. */
export function checkPrice(price: Money, field: string): void {
  if (!isPositiveMoney(price) && !isZeroMoney(price)) refuse('PRICE_NEGATIVE', { ...price, field })
  if (digitsOf(price.amount) > MOST_PRICE_DIGITS)
    refuse('PRICE_TOO_LARGE', { most: MOST_PRICE_DIGITS, field })
}
