// What the stock is worth, said in the books: through finance, in the same commit. What finance refuses (a locked period,
// an inactive account) refuses the change of the stock with it.

import type { AccountType, Finance } from '@plinth/finance/contract'
import { type CivilDate, type Id, isZeroMoney, type Money } from '@plinth/sdk'
import { refuse } from './refuse.ts'

type Account = Id<'finance.account'>
type Setting = 'inventoryAccount' | 'costAccount' | 'receiptAccount' | 'correctionAccount'

/** Of those that could be nothing else. Goods may be received against a debt or a clearing account, as the tenant keeps it. */
const types: Readonly<Partial<Record<Setting, AccountType>>> = {
  inventoryAccount: 'asset',
  costAccount: 'expense',
}

export interface Books {
  readonly uses: { readonly finance: Finance['services'] }
  readonly settings: { readonly [K in Setting]?: Account | undefined }
}

interface Booking {
  readonly debit: Setting
  readonly credit: Setting
  readonly amount: Money
  readonly date: CivilDate
  readonly description: string
  readonly reference?: string | undefined
}

/** Both accounts must be set. What is worth nothing is not booked. @throws SETTING_MISSING, finance's SETTING_ACCOUNT */
export async function book({ uses, settings }: Books, booking: Booking) {
  const { debit, credit, amount, ...entry } = booking
  const on = (setting: Setting) => ({
    account: settings[setting] ?? refuse('SETTING_MISSING', { setting }),
    setting: `oms.${setting}`,
    type: types[setting],
  })
  const lines = [
    { ...on(debit), debit: amount },
    { ...on(credit), credit: amount },
  ]
  if (isZeroMoney(amount)) return undefined
  const { entry: id } = await uses.finance.postJournal({ ...entry, lines })
  return id
}

/** As `book`, by a tenant who has set both accounts: another one books it himself. */
export async function bookIfSet(books: Books, booking: Booking) {
  const { debit, credit } = booking
  if (books.settings[debit] === undefined || books.settings[credit] === undefined) return undefined
  return book(books, booking)
}
