// Invoices where they meet the books: drafted for what was shipped, posted as what is owed.

import type { Oms } from '@plinth/oms/contract'
import { addDays, type CivilDate, type Id, type Money, type Repository } from '@plinth/sdk'
import type { Invoice, invoice } from './entities/invoice.ts'
import { owed } from './invoice-rules.ts'
import { type Ledger, postJournal } from './ledger.ts'
import { refuse } from './refuse.ts'

/** As far as dates are written: a shipment dated there by mistake is invoiced as well. */
const lastDay: CivilDate = '9999-12-31'
const lastYear: CivilDate = '9999-01-01'

interface Drafting {
  readonly entities: { readonly invoice: Repository<typeof invoice, 'invoice'> }
  readonly settings: { readonly paymentDays: number }
}

/**
 * An order has one invoice. The queue tells of a shipment until it is done, and the reference to the order is unique: so
 * there is one however often it is told, also where somebody drafted it by hand before.
 */
export async function draftOnce(
  { entities, settings }: Drafting,
  { order, number, customer, date, lines, total }: Oms['events']['order.shipped'],
): Promise<void> {
  const { items } = await entities.invoice.list({ order }, { limit: 1 })
  if (items.length > 0) return
  await entities.invoice.create({
    customer,
    order,
    orderNumber: number,
    date,
    dueDate: date < lastYear ? addDays(date, settings.paymentDays) : lastDay,
    lines: lines.map(({ sku, name, quantity, price }) => ({
      description: `${sku} ${name}`,
      quantity,
      price,
    })),
    total,
  })
}

interface Posting extends Ledger {
  readonly settings: {
    readonly lockedThrough?: CivilDate | undefined
    readonly receivableAccount?: Id<'account'> | undefined
    readonly revenueAccount?: Id<'account'> | undefined
  }
}

/** Puts what is owed in the books. Resolves to what the invoice is from now on. */
export async function postInvoice(
  ledger: Posting,
  { customer, date, lines, orderNumber }: Invoice,
): Promise<{ readonly total: Money; readonly entry: Id<'journalEntry'> }> {
  const { receivableAccount, revenueAccount } = ledger.settings
  if (receivableAccount === undefined) refuse('SETTING_MISSING', { setting: 'receivableAccount' })
  if (revenueAccount === undefined) refuse('SETTING_MISSING', { setting: 'revenueAccount' })
  const total = owed(lines)
  const { entry } = await postJournal(ledger, {
    date,
    description: `Invoice to ${customer}`,
    reference: orderNumber,
    lines: [
      { account: receivableAccount, debit: total, setting: 'finance.receivableAccount', type: 'asset' },
      { account: revenueAccount, credit: total, setting: 'finance.revenueAccount', type: 'income' },
    ],
  })
  return { total, entry }
}
