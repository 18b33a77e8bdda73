// Reading the rows of a query: their columns are text where this plugin reads them, and anything else is a mistake here.

import type { SqlRow } from '@plinth/sdk'

export function text(row: SqlRow, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw new TypeError(`A query of the plugin has no text in '${column}'.`)
  return value
}

export function textOrNull(row: SqlRow, column: string): string | null {
  return row[column] === null ? null : text(row, column)
}

export function number(row: SqlRow, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw new TypeError(`A query of the plugin has no number in '${column}'.`)
  return value
}
