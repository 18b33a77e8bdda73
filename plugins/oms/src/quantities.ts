// What a quantity may be. Pure.

import { compareDecimals, isPositiveMoney, isZeroMoney, type Money, scaleOf } from '@plinth/sdk'
import { refuse } from './refuse.ts'

/** Grams of a ton. */
const MOST_DECIMALS = 6
/** With a price of any size, what comes of it still fits a field. */
const MOST_DIGITS = 9

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
  const [whole = ''] = quantity.replace('-', '').split('.')
  if (whole.length > MOST_DIGITS) refuse('QUANTITY_TOO_LARGE', { most: MOST_DIGITS, field })
}

/** Zero or more: what is given away costs nothing, and nothing costs less. */
export function checkPrice(price: Money, field: string): void {
  if (!isPositiveMoney(price) && !isZeroMoney(price)) refuse('PRICE_NEGATIVE', { ...price, field })
}
