// What a customer wants: a draft that may change, then a promise that is kept or cancelled.

import { entity, type Out, type Row, t } from '@plinth/sdk'

export const lineFields = {
  item: t.ref('item'),
  quantity: t.decimal(),
  // The item's price at the confirmation, unless the line names its own.
  price: t.money().optional(),
}

export const order = entity(
  'Order',
  {
    // Taken at the confirmation: a draft that comes to nothing leaves no gap.
    number: t.sequence('SO-{year}-{00000}', { at: 'confirmed', date: 'date' }),
    customer: t.text().range(1, 200),
    reference: t.text().range(1, 200).optional(),
    date: t.date(),
    lines: t.lines(lineFields),
    // Calculated at the confirmation.
    total: t.money().optional(),
    confirmedOn: t.date().optional(),
    shippedOn: t.date().optional(),
    // What the goods had cost, and the entry that says so in the books; at the shipment.
    cost: t.money().optional(),
    costEntry: t.ref('finance.journalEntry').optional(),
    reason: t.text().range(1, 500).optional(),
    status: t.state({
      draft: ['confirmed', 'cancelled'],
      confirmed: ['shipped', 'cancelled'],
      shipped: [],
      cancelled: [],
    }),
  },
  { indexes: [['date'], ['customer', 'date']], immutableIn: ['shipped', 'cancelled'] },
)

export type OrderLine = Out<typeof lineFields>
export type Order = Row<typeof order, 'order'>
