// How much of an item is there, and how much of that is promised. One record for each item, made by its first receipt
// and changed by conditional updates alone (../stock.ts).

import { entity, t } from '@plinth/sdk'

export const stock = entity(
  'Stock of an item',
  {
    item: t.ref('item').unique(),
    // 0 <= reserved <= onHand, always. Free is what lies between.
    onHand: t.decimal(),
    reserved: t.decimal(),
    // What is on hand has cost; value / onHand is the moving average.
    value: t.money(),
    // What the moves of the item add up to. A change that has no move yet shows as a difference (../moves.ts).
    movedOnHand: t.decimal(),
    movedReserved: t.decimal(),
  },
  { path: 'stock' },
)
