// Each change of the stock has exactly one move, and each move belongs to a change: the hooks that hold the two together.
// The conditional updates of ./stock.ts change the stock first; the move that follows must make up for just that
// difference, or it is refused. So a move that somebody makes up finds no difference to belong to.

import type { Granted, Id, Money } from '@plinth/sdk'
import { refuse } from './refuse.ts'

interface Move {
  readonly item: Id<'item'>
  readonly stock: Id<'stock'>
  readonly onHand: string
  readonly reserved: string
  readonly value: Money
}

/** Adds the move to what the moves of the stock come to. */
export async function checkMove(
  { sql }: Granted<{ readonly sql: 'write' }>,
  { item, stock, onHand, reserved, value }: Move,
): Promise<void> {
  const [row] = await sql`
    update stock set moved_on_hand = moved_on_hand + ${onHand}, moved_reserved = moved_reserved + ${reserved},
      value_amount = value_amount + ${value.amount}
    where id = ${stock} and item = ${item} and value_currency = ${value.currency}
      and (moved_on_hand <> on_hand or moved_reserved <> reserved)
      and moved_on_hand + ${onHand} = on_hand and moved_reserved + ${reserved} = reserved
    returning id`
  if (!row) refuse('STOCK_BY_ACTION', {})
}

/** The stock itself is written with SQL alone, which no hook sees: whoever comes here is somebody else. */
export function refuseByHand(): never {
  return refuse('STOCK_BY_ACTION', {})
}
