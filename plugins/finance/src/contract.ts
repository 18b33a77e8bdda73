// What other plugins may import: `use<Finance>('^0.1')`. Types alone; no code of this plugin runs elsewhere.

import type { CivilDate, Id, Money } from '@plinth/sdk'

export type AccountType = 'asset' | 'liability' | 'equity' | 'income' | 'expense'

/** One side of an entry: exactly one of `debit` and `credit`, greater than zero. */
export interface JournalLineInput {
  readonly account: Id<'finance.account'>
  readonly debit?: Money | undefined
  readonly credit?: Money | undefined
  readonly memo?: string | undefined
  /**
   * Where the account comes from when nobody chose it for this entry: the setting that names it, such as
   * `oms.costAccount`. An account that takes no posting is then refused as SETTING_ACCOUNT, which names the setting.
   */
  readonly setting?: string | undefined
  /** Refused unless the account is of this type. Only with `setting`. */
  readonly type?: AccountType | undefined
}

export interface PostJournalInput {
  readonly date: CivilDate
  readonly description: string
  /** The document that the entry comes from: an order's or a payroll run's number. */
  readonly reference?: string | undefined
  readonly lines: readonly JournalLineInput[]
}

export interface PostedJournal {
  readonly entry: Id<'finance.journalEntry'>
  readonly number: string
}

export type Finance = {
  events: {
    /** An entry took effect: by posting it, by reversing another, or through `postJournal`. */
    'journalEntry.posted': { readonly entry: Id<'finance.journalEntry'>; readonly date: CivilDate }
    /** A customer owes it from now on. `order` is the order of the module `oms` that it is for. */
    'invoice.posted': {
      readonly invoice: Id<'finance.invoice'>
      readonly entry: Id<'finance.journalEntry'>
      readonly date: CivilDate
      readonly total: Money
      readonly order?: Id<'oms.order'> | undefined
    }
  }
  services: {
    /** Creates and posts an entry in the caller's transaction, under the rules of posting by hand. */
    postJournal(input: PostJournalInput): Promise<PostedJournal>
  }
}
