// What customers owe: drafts that may change, and posted invoices that nobody changes.

import { entity, type Out, type Row, t } from '@plinth/sdk'

export const invoiceLineFields = {
  description: t.text().range(1, 300),
  quantity: t.decimal(),
  price: t.money(),
}

export const invoice = entity(
  'Invoice',
  {
    // Taken at posting, so that a deleted draft leaves no gap.
    number: t.sequence('INV-{year}-{00000}', { at: 'posted', date: 'date' }),
    customer: t.text().range(1, 200),
    // Unique: an order is invoiced once, however often its shipment is told of.
    order: t.ref('oms.order').optional().unique(),
    orderNumber: t.text().range(1, 60).optional(),
    date: t.date(),
    dueDate: t.date(),
    lines: t.lines(invoiceLineFields),
    // The sum of the lines. May be left out of a draft; calculated at posting.
    total: t.money().optional(),
    // Set at posting: the entry that put it in the books.
    entry: t.ref('journalEntry').optional().unique(),
    status: t.state({ draft: ['posted', 'void'], posted: [], void: [] }),
  },
  { indexes: [['date'], ['customer', 'date'], ['status', 'dueDate']], immutableIn: ['posted', 'void'] },
)

export type InvoiceLine = Out<typeof invoiceLineFields>
export type Invoice = Row<typeof invoice, 'invoice'>
