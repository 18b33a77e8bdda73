// The stock and its four changes. Each is one conditional update: PostgreSQL locks the row, waits for whoever changes it
// at that moment, and asks the condition of what he left. So nothing is promised twice, and there is nothing to lock
// before. With SQL and not as records: what may be promised does not hang on what the person may see.

import {
  addDecimals,
  type CivilDate,
  type Granted,
  type Id,
  isZeroMoney,
  type Money,
  negateDecimal,
  negateMoney,
  type Repository,
  type SqlRow,
  zeroMoney,
} from '@plinth/sdk'
import { costOf } from './cost-of.ts'
import type { stockMove } from './entities/stock-move.ts'
import type { Wanted } from './order-lines.ts'
import { refuse } from './refuse.ts'
import { moneyIn, text } from './rows.ts'

/** The part of `ctx` that changes the stock. */
export interface Warehouse extends Granted<{ readonly sql: 'write' }> {
  readonly entities: { readonly stockMove: Repository<typeof stockMove, 'stockMove'> }
}

type NewMove = Parameters<Warehouse['entities']['stockMove']['create']>[0]
type MoveOf = Pick<NewMove, 'kind' | 'date' | 'order' | 'reference'>

/** What a change of on hand did. */
export interface Moved {
  readonly move: Id<'stockMove'>
  /** What there is afterwards. */
  readonly onHand: string
  readonly reserved: string
  /** By how much the value of the stock changed, with its sign. */
  readonly value: Money
}

export interface ForOrder {
  readonly order: Id<'order'>
  readonly date: CivilDate
}

const nothing = '0'

/** Promises it to an order. @throws OUT_OF_STOCK */
export async function reserve(ctx: Warehouse, { item, quantity, field }: Wanted, on: ForOrder) {
  const [row] = await ctx.sql`
    update stock set reserved = reserved + ${quantity}
    where item = ${item} and on_hand - reserved >= ${quantity}
    returning id, value_currency`
  if (!row) return refuseShortage(ctx, item, quantity, field)
  return recordPromise(ctx, row, { ...on, kind: 'reservation', item, reserved: quantity })
}

/** Takes the promise to an order back. */
export async function release(ctx: Warehouse, { item, quantity }: Wanted, on: ForOrder) {
  const [row] = await ctx.sql`
    update stock set reserved = reserved - ${quantity}
    where item = ${item} and reserved >= ${quantity}
    returning id, value_currency`
  if (!row) throw new Error(`${quantity} of item ${item} were reserved, and are not.`)
  return recordPromise(ctx, row, { ...on, kind: 'release', item, reserved: negateDecimal(quantity) })
}

/** What was promised leaves. Resolves to what it had cost. */
export async function shipOut(ctx: Warehouse, { item, quantity }: Wanted, on: ForOrder): Promise<Money> {
  const [row] = await ctx.sql`
    update stock set on_hand = on_hand - ${quantity}, reserved = reserved - ${quantity}
    where item = ${item} and reserved >= ${quantity} and on_hand >= ${quantity}
    returning id, on_hand, reserved, value_amount, value_currency`
  if (!row) throw new Error(`${quantity} of item ${item} were reserved, and are not.`)
  const cost = costOf(quantity, addDecimals(text(row, 'on_hand'), quantity), moneyIn(row, 'value'))
  const lost = { onHand: negateDecimal(quantity), reserved: negateDecimal(quantity), value: negated(cost) }
  await recordMove(ctx, row, { ...on, kind: 'shipment', item, ...lost })
  return cost
}

/**
 * More of an item is there: received at a cost, or found and worth what the others are on average. `currency` is the one
 * in which an item that comes for the first time is valued. @throws COST_CURRENCY
 */
export async function putIn(
  ctx: Warehouse,
  { item, quantity, ...move }: MoveOf & { readonly item: Id<'item'>; readonly quantity: string },
  currency: string,
  cost?: Money,
): Promise<Moved> {
  const [row] = await ctx.sql`
    insert into stock (item, on_hand, reserved, moved_on_hand, moved_reserved, value_amount, value_currency)
    values (${item}, ${quantity}, 0, 0, 0, 0, ${currency})
    on conflict (item) do update set on_hand = stock.on_hand + excluded.on_hand
    returning id, on_hand, reserved, moved_on_hand, value_amount, value_currency`
  if (!row) throw new Error(`The stock of item ${item} was neither made nor changed.`)
  const worth = moneyIn(row, 'value')
  if (cost && cost.currency !== worth.currency)
    refuse('COST_CURRENCY', { currency: cost.currency, wanted: worth.currency, field: 'unitCost' })
  // Until its move is recorded, what the moves come to is what there was before.
  const average = () => (isZeroMoney(worth) ? worth : costOf(quantity, text(row, 'moved_on_hand'), worth))
  const value = cost ?? average()
  return recordMove(ctx, row, { ...move, item, onHand: quantity, reserved: nothing, value })
}

/** Less of an item is there than was thought: at its average cost, and never what is promised. @throws OUT_OF_STOCK */
export async function takeOut(
  ctx: Warehouse,
  { item, quantity, ...move }: MoveOf & { readonly item: Id<'item'>; readonly quantity: string },
): Promise<Moved> {
  const [row] = await ctx.sql`
    update stock set on_hand = on_hand - ${quantity}
    where item = ${item} and on_hand - reserved >= ${quantity}
    returning id, on_hand, reserved, value_amount, value_currency`
  if (!row) return refuseShortage(ctx, item, quantity, 'quantity')
  const cost = costOf(quantity, addDecimals(text(row, 'on_hand'), quantity), moneyIn(row, 'value'))
  const lost = { onHand: negateDecimal(quantity), reserved: nothing, value: negated(cost) }
  return recordMove(ctx, row, { ...move, item, ...lost })
}

/** Minus nothing is nothing. */
const negated = (value: Money): Money => (isZeroMoney(value) ? value : negateMoney(value))

type Change = MoveOf & Pick<NewMove, 'item' | 'onHand' | 'reserved' | 'value'>

/** A promise moves nothing and is worth nothing. */
const recordPromise = (ctx: Warehouse, row: SqlRow, change: Omit<Change, 'onHand' | 'value'>) =>
  ctx.entities.stockMove.create({
    ...change,
    stock: text(row, 'id') as Id<'stock'>,
    onHand: nothing,
    value: zeroMoney(text(row, 'value_currency')),
  })

async function recordMove(ctx: Warehouse, row: SqlRow, change: Change): Promise<Moved> {
  const { id } = await ctx.entities.stockMove.create({ ...change, stock: text(row, 'id') as Id<'stock'> })
  const { value } = change
  return { move: id, onHand: text(row, 'on_hand'), reserved: text(row, 'reserved'), value }
}

async function refuseShortage(
  { sql }: Warehouse,
  id: Id<'item'>,
  wanted: string,
  field: string,
): Promise<never> {
  const [row] = await sql`
    select item.sku, coalesce(stock.on_hand - stock.reserved, 0) as free
    from item left join stock on stock.item = item.id where item.id = ${id}`
  if (!row) return refuse('ITEM_UNKNOWN', { field })
  return refuse('OUT_OF_STOCK', {
    item: id,
    sku: text(row, 'sku'),
    available: text(row, 'free'),
    wanted,
    field,
  })
}
