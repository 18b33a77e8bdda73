// Goods that come in, and what a count found to be more or less.

import {
  type CivilDate,
  compareDecimals,
  type Id,
  type Money,
  multiplyDecimals,
  negateDecimal,
  negateMoney,
  roundMoney,
} from '@plinth/sdk'
import { type Books, bookIfSet } from './booking.ts'
import { activeItem, itemsIn } from './items.ts'
import { checkDifference, checkPrice, checkQuantity } from './quantities.ts'
import { refuse } from './refuse.ts'
import { putIn, takeOut, type Warehouse } from './stock.ts'

interface ReceiptContext extends Warehouse, Books {
  readonly today: CivilDate
  readonly tenant: { readonly currency: string }
}

interface Receipt {
  readonly item: Id<'item'>
  readonly quantity: string
  /** Of one; in the currency of the stock. */
  readonly unitCost: Money
  readonly date?: CivilDate | undefined
  readonly reference?: string | undefined
}

export async function receive(ctx: ReceiptContext, input: Receipt) {
  const { item, quantity, unitCost, date = ctx.today, reference } = input
  checkQuantity(quantity, 'quantity')
  checkPrice(unitCost, 'unitCost')
  const { sku } = await activeItem(ctx, item)
  const cost = roundMoney(multiplyDecimals(quantity, unitCost.amount), unitCost.currency)
  const move = { kind: 'receipt', item, quantity, date, reference } as const
  const moved = await putIn(ctx, move, ctx.tenant.currency, cost)
  const entry = await bookIfSet(ctx, {
    debit: 'inventoryAccount',
    credit: 'receiptAccount',
    amount: cost,
    date,
    description: `Receipt of ${quantity} ${sku}`,
    reference,
  })
  return { item, ...moved, ...(entry === undefined ? {} : { entry }) }
}

interface Correction {
  readonly item: Id<'item'>
  /** What there is more of, or with a minus less. */
  readonly quantity: string
  readonly reason: string
  readonly date?: CivilDate | undefined
}

export async function correct(ctx: ReceiptContext, { item, quantity, reason, date = ctx.today }: Correction) {
  checkDifference(quantity, 'quantity')
  const [found] = await itemsIn(ctx, [{ item }])
  if (!found) return refuse('ITEM_UNKNOWN', { field: 'item' })
  const move = { kind: 'correction', item, date, reference: reason } as const
  const isMore = compareDecimals(quantity, '0') > 0
  const moved = isMore
    ? await putIn(ctx, { ...move, quantity }, ctx.tenant.currency)
    : await takeOut(ctx, { ...move, quantity: negateDecimal(quantity) })
  const entry = await bookIfSet(ctx, {
    ...(isMore
      ? { debit: 'inventoryAccount', credit: 'correctionAccount', amount: moved.value }
      : { debit: 'correctionAccount', credit: 'inventoryAccount', amount: negateMoney(moved.value) }),
    date,
    description: `Correction of ${found.sku} by ${quantity}: ${reason}`,
  })
  return { item, ...moved, ...(entry === undefined ? {} : { entry }) }
}
