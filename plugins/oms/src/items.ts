// Items as orders, receipts and corrections need them: whatever the person may see of them.

import type { Granted, SqlRow } from '@plinth/sdk'
import type { OrderedItem } from './order-lines.ts'
import { refuse } from './refuse.ts'
import { moneyIn, text } from './rows.ts'

type Sql = Granted<{ readonly sql: 'write' }>

const itemOf = (row: SqlRow): OrderedItem => ({
  id: text(row, 'id'),
  sku: text(row, 'sku'),
  name: text(row, 'name'),
  price: moneyIn(row, 'price'),
  active: row['active'] === true,
})

export async function itemsIn(
  { sql }: Sql,
  lines: readonly { readonly item: string }[],
): Promise<readonly OrderedItem[]> {
  const ids = [...new Set(lines.map(({ item }) => item))]
  if (ids.length === 0) return []
  const rows = await sql`
    select item.id, item.sku, item.name, item.price_amount, item.price_currency, item.active
    from item where item.id = any(${ids})`
  return rows.map(itemOf)
}

/** @throws ITEM_UNKNOWN, ITEM_INACTIVE naming the field `item` */
export async function activeItem(ctx: Sql, item: string): Promise<OrderedItem> {
  const [found] = await itemsIn(ctx, [{ item }])
  if (!found) return refuse('ITEM_UNKNOWN', { field: 'item' })
  if (!found.active) return refuse('ITEM_INACTIVE', { sku: found.sku, field: 'item' })
  return found
}
