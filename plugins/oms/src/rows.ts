// Reading the rows of a query: their columns are what this plugin reads them as, and anything else is a mistake here.

import { type Money, money, type SqlRow } from '@plinth/sdk'

export function text(row: SqlRow, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new TypeError(`A query of the plugin has no text in '${column}'.`)
  return value
}

export const moneyIn = (row: SqlRow, field: string): Money =>
  money(text(row, `${field}_amount`), text(row, `${field}_currency`))
