// What happens to an order: it is confirmed, and then shipped or cancelled. The kernel has locked it and checked the step,
// so of two at once the second finds it where the first has put it.

import { type CivilDate, type Granted, type Money, sumMoney } from '@plinth/sdk'
import { type Books, book } from './booking.ts'
import type { Order } from './entities/order.ts'
import { itemsIn } from './items.ts'
import {
  amountOf,
  checkItemsActive,
  checkItemsExist,
  checkLines,
  priced,
  totalOf,
  wantedOf,
} from './order-lines.ts'
import { refuse } from './refuse.ts'
import { text } from './rows.ts'
import { release, reserve, shipOut, type Warehouse } from './stock.ts'

export interface OrderContext extends Warehouse, Books {
  readonly today: CivilDate
  readonly tenant: { readonly currency: string }
}

/** Set by what is done to the order, and by nobody in a draft. */
const byAction = ['total', 'confirmedOn', 'shippedOn', 'cost', 'costEntry', 'reason'] as const

type Candidate = Pick<Order, 'lines' | 'status'> & Partial<Pick<Order, 'id' | (typeof byAction)[number]>>

/** Whether an order may be stored as it is: a draft that makes sense, or the next step of one that was stored. */
export async function checkOrder(
  ctx: Granted<{ readonly sql: 'write' }>,
  candidate: Candidate,
): Promise<void> {
  const { id, status, lines } = candidate
  if (status === 'draft') {
    const field = byAction.find((name) => candidate[name] !== undefined)
    if (field) refuse('ORDER_FIELD_BY_ACTION', { field })
    checkLines(lines)
    const items = await itemsIn(ctx, lines)
    checkItemsExist(lines, items)
    checkItemsActive(lines, items)
    return
  }
  // Each step changes the state: a change that does not is somebody's who changes what was promised.
  const [stored] = await ctx.sql`select status from "order" as stored where stored.id = ${id ?? null}`
  if (stored && text(stored, 'status') === status) refuse('ORDER_FIXED', { status })
}

/** Reserves all of it or nothing. Resolves to what the order is from now on. @throws OUT_OF_STOCK */
export async function confirm(ctx: OrderContext, order: Order) {
  const items = await itemsIn(ctx, order.lines)
  checkItemsActive(order.lines, items)
  const lines = priced(order.lines, items)
  const on = { order: order.id, date: ctx.today }
  for (const wanted of wantedOf(lines)) await reserve(ctx, wanted, on)
  return { lines, total: totalOf(lines), confirmedOn: ctx.today }
}

/** The goods leave, and what they had cost moves from the inventory to the cost of goods in the same commit. */
export async function ship(ctx: OrderContext, order: Order, date: CivilDate) {
  const on = { order: order.id, date }
  const costs: Money[] = []
  for (const wanted of wantedOf(order.lines)) costs.push(await shipOut(ctx, wanted, on))
  const cost = sumMoney(costs, costs[0]?.currency ?? ctx.tenant.currency)
  const costEntry = await book(ctx, {
    debit: 'costAccount',
    credit: 'inventoryAccount',
    amount: cost,
    date,
    description: `Cost of goods of ${order.number ?? 'an order'}`,
    reference: order.number,
  })
  return { shippedOn: date, cost, ...(costEntry === undefined ? {} : { costEntry }) }
}

/** What an invoice for the order needs. */
export async function soldIn(ctx: OrderContext, order: Order) {
  const items = await itemsIn(ctx, order.lines)
  const known = new Map(items.map((item) => [item.id, item]))
  const lines = priced(order.lines, items)
  return {
    order: order.id,
    number: order.number ?? '',
    customer: order.customer,
    lines: lines.map((line) => ({
      item: line.item,
      sku: known.get(line.item)?.sku ?? '',
      name: known.get(line.item)?.name ?? '',
      quantity: line.quantity,
      price: line.price,
      amount: amountOf(line),
    })),
    total: totalOf(lines),
  }
}

/** What was reserved is free again; a draft had reserved nothing. */
export async function cancel(ctx: OrderContext, order: Order): Promise<void> {
  if (order.status !== 'confirmed') return
  const on = { order: order.id, date: ctx.today }
  for (const wanted of wantedOf(order.lines)) await release(ctx, wanted, on)
}
