// The trial balance from the movements that the database has summed up. Pure.

import { addDecimals, type CivilDate, money, type SqlRow, subtractDecimals, t, zeroMoney } from '@plinth/sdk'

/** What was posted to one account in one currency. */
export interface Movement {
  readonly account: {
    readonly id: string
    readonly code: string
    readonly name: string
    readonly type: string
  }
  readonly currency: string
  readonly debit: string
  readonly credit: string
}

export interface TrialBalance {
  readonly asOf: CivilDate
  readonly rows: readonly (Movement & { /** Debit less credit. */ readonly balance: string })[]
  readonly totals: readonly { readonly currency: string; readonly debit: string; readonly credit: string }[]
}

/** The reply as fields, for the API's description. */
export const trialBalanceFields = {
  asOf: t.date(),
  rows: t.lines({
    account: t.object({ id: t.ref('account'), code: t.text(), name: t.text(), type: t.text() }),
    currency: t.text(),
    debit: t.decimal(),
    credit: t.decimal(),
    balance: t.decimal(),
  }),
  totals: t.lines({ currency: t.text(), debit: t.decimal(), credit: t.decimal() }),
}

/** Rows in the order given, totals by currency; each amount has the decimals of its currency. */
export function trialBalance(asOf: CivilDate, movements: readonly Movement[]): TrialBalance {
  const rows = movements.map(({ account, currency, debit, credit }) => ({
    account,
    currency,
    debit: money(debit, currency).amount,
    credit: money(credit, currency).amount,
    balance: money(subtractDecimals(debit, credit), currency).amount,
  }))
  const currencies = [...new Set(rows.map(({ currency }) => currency))].sort()
  const totals = currencies.map((currency) => {
    const own = rows.filter((row) => row.currency === currency)
    const nothing = zeroMoney(currency).amount
    return {
      currency,
      debit: own.reduce((sum, { debit }) => addDecimals(sum, debit), nothing),
      credit: own.reduce((sum, { credit }) => addDecimals(sum, credit), nothing),
    }
  })
  return { asOf, rows, totals }
}

/** A row of the report's query as a movement. */
export const movementOf = (row: SqlRow): Movement => ({
  account: { id: text(row, 'id'), code: text(row, 'code'), name: text(row, 'name'), type: text(row, 'type') },
  currency: text(row, 'currency'),
  debit: text(row, 'debit'),
  credit: text(row, 'credit'),
})

function text(row: SqlRow, column: string): string {
  const value = row[column]
  if (typeof value !== 'string')
    throw new TypeError(`The trial balance expects text in '${column}', not ${typeof value}.`)
  return value
}
