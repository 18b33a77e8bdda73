// The history of the stock: one record for each change, never changed, never deleted. Its references keep items, stock and
// orders from being deleted.

import { entity, t } from '@plinth/sdk'

export const moveKinds = ['receipt', 'correction', 'reservation', 'release', 'shipment'] as const

export const stockMove = entity(
  'Stock move',
  {
    kind: t.choice(moveKinds),
    date: t.date(),
    item: t.ref('item'),
    stock: t.ref('stock'),
    // By how much it changed what the stock has, with its sign.
    onHand: t.decimal(),
    reserved: t.decimal(),
    value: t.money(),
    order: t.ref('order').optional(),
    // A delivery note, or why it was corrected.
    reference: t.text().range(1, 200).optional(),
    status: t.state({ recorded: [] }),
  },
  { indexes: [['item', 'date'], ['order']], immutableIn: ['recorded'] },
)
