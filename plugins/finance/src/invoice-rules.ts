// What makes an invoice fit to be sent. Pure: it is given what it judges, and refuses or returns.

import {
  addDecimals,
  compareDates,
  compareDecimals,
  isPositiveMoney,
  type Money,
  multiplyDecimals,
  roundMoney,
  zeroMoney,
} from '@plinth/sdk'
import type { Invoice, InvoiceLine } from './entities/invoice.ts'
import { refuse } from './refuse.ts'

/** A quantity is below this, and a price has so many digits: what comes of the two still fits a field. */
const MOST = '1000000000'
const MOST_PRICE_DIGITS = 15

/** Rounded line by line: the total is the sum of what the lines show. Undefined without lines. */
export function totalOf(lines: readonly InvoiceLine[]): Money | undefined {
  const currency = lines[0]?.price.currency
  if (currency === undefined) return undefined
  const amounts = lines.map(({ quantity, price }) =>
    roundMoney(multiplyDecimals(quantity, price.amount), currency),
  )
  const sum = amounts.reduce((sum, { amount }) => addDecimals(sum, amount), zeroMoney(currency).amount)
  return { amount: sum, currency }
}

/** Holds for drafts already. A price may be negative, for a discount; a quantity may not. */
export function checkInvoice(
  invoice: Pick<Invoice, 'lines' | 'date' | 'dueDate' | 'status'> & Partial<Pick<Invoice, 'total' | 'entry'>>,
): void {
  const { lines, date, dueDate, total, entry, status } = invoice
  const first = lines[0]?.price.currency ?? ''
  for (const [index, { quantity, price }] of lines.entries()) {
    if (compareDecimals(quantity, '0') <= 0 || compareDecimals(quantity, MOST) >= 0)
      refuse('INVOICE_QUANTITY', { quantity, field: `lines.${index}.quantity` })
    const [whole = ''] = price.amount.replace('-', '').split('.')
    if (whole.length > MOST_PRICE_DIGITS)
      refuse('INVOICE_PRICE', { most: MOST_PRICE_DIGITS, field: `lines.${index}.price` })
    if (price.currency !== first)
      refuse('INVOICE_CURRENCIES', { currency: price.currency, first, field: `lines.${index}.price` })
  }
  if (compareDates(dueDate, date) < 0) refuse('INVOICE_DUE_BEFORE', { date, dueDate, field: 'dueDate' })
  const sum = totalOf(lines)
  if (total && (total.currency !== sum?.currency || compareDecimals(total.amount, sum.amount) !== 0))
    refuse('INVOICE_TOTAL', { sum: sum ? `${sum.amount} ${sum.currency}` : 'nothing', field: 'total' })
  // A draft that names an entry would be in the way of the true posting, which there is one of.
  if (status === 'draft' && entry !== undefined) refuse('INVOICE_ENTRY', { field: 'entry' })
}

/** What is owed: more than nothing. */
export function owed(lines: readonly InvoiceLine[]): Money {
  const total = totalOf(lines)
  if (!total || !isPositiveMoney(total)) refuse('INVOICE_OWES_NOTHING', { field: 'lines' })
  return total
}
