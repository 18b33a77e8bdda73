// The lines of an order: whether they make sense, what they cost and what they want of the stock. Pure.

import { addDecimals, type Id, type Money, multiplyDecimals, roundMoney, sumMoney } from '@plinth/sdk'
import type { OrderLine } from './entities/order.ts'
import { checkPrice, checkQuantity } from './quantities.ts'
import { refuse } from './refuse.ts'

/** What an order needs to know about an item. */
export interface OrderedItem {
  readonly id: string
  readonly sku: string
  readonly name: string
  readonly price: Money
  readonly active: boolean
}

/** Each takes three of the 250 statements that a request has. */
export const MOST_LINES = 60

/** Holds for drafts already: there is no sense in storing anything else. */
export function checkLines(lines: readonly OrderLine[]): void {
  if (lines.length > MOST_LINES)
    refuse('ORDER_TOO_LONG', { count: lines.length, most: MOST_LINES, field: 'lines' })
  for (const [index, { quantity, price }] of lines.entries()) {
    checkQuantity(quantity, `lines.${index}.quantity`)
    if (price) checkPrice(price, `lines.${index}.price`)
  }
}

/** Each line is of an item that exists. */
export function checkItemsExist(lines: readonly OrderLine[], items: readonly OrderedItem[]): void {
  const known = new Set(items.map(({ id }) => id))
  const index = lines.findIndex(({ item }) => !known.has(item))
  if (index >= 0) refuse('ITEM_UNKNOWN', { field: `lines.${index}.item` })
}

/** Each line is of an item that may be sold. */
export function checkItemsActive(lines: readonly OrderLine[], items: readonly OrderedItem[]): void {
  const inactive = new Map(items.filter(({ active }) => !active).map(({ id, sku }) => [id, sku]))
  for (const [index, { item }] of lines.entries()) {
    const sku = inactive.get(item)
    if (sku !== undefined) refuse('ITEM_INACTIVE', { sku, field: `lines.${index}.item` })
  }
}

export type PricedLine = OrderLine & { readonly price: Money }

/** The lines with a price each: their own, or what the item costs now. */
export function priced(
  lines: readonly OrderLine[],
  items: readonly OrderedItem[],
): readonly [PricedLine, ...PricedLine[]] {
  const prices = new Map(items.map(({ id, price }) => [id, price]))
  const [first, ...rest] = lines.flatMap((line): PricedLine[] => {
    const price = line.price ?? prices.get(line.item)
    return price ? [{ ...line, price }] : []
  })
  if (!first) refuse('ORDER_EMPTY', { field: 'lines' })
  const all: readonly [PricedLine, ...PricedLine[]] = [first, ...rest]
  const { currency } = first.price
  for (const [index, { price }] of all.entries()) {
    if (price.currency === currency) continue
    refuse('ORDER_CURRENCIES', {
      currency: price.currency,
      first: currency,
      field: `lines.${index}.price`,
    })
  }
  return all
}

/** Quantity times price, rounded once. */
export const amountOf = ({ quantity, price }: Pick<PricedLine, 'quantity' | 'price'>): Money =>
  roundMoney(multiplyDecimals(quantity, price.amount), price.currency)

/** Rounded line by line: the total is the sum of what the lines show. */
export const totalOf = (lines: readonly [PricedLine, ...PricedLine[]]): Money =>
  sumMoney(lines.map(amountOf), lines[0].price.currency)

export interface Wanted {
  readonly item: Id<'item'>
  readonly quantity: string
  /** The first line of the item, for a refusal to name. */
  readonly field: string
}

/**
 * What the lines want of each item, in the order of the items' ids. Every order takes its stock in this order, so that
 * two of them never wait for each other in a circle.
 */
export function wantedOf(lines: readonly OrderLine[]): readonly Wanted[] {
  const wanted = new Map<Id<'item'>, Wanted>()
  for (const [index, { item, quantity }] of lines.entries()) {
    const so = wanted.get(item)
    wanted.set(item, {
      item,
      quantity: so ? addDecimals(so.quantity, quantity) : quantity,
      field: so?.field ?? `lines.${index}.quantity`,
    })
  }
  return [...wanted.values()].sort((a, b) => (a.item < b.item ? -1 : 1))
}
