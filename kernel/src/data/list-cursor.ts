// Cursors of lists: where the next page starts, bound to the list they came from. What is in one is checked like any
// other input, so it need not be secret or signed.
import { createHash } from 'node:crypto'
import type { Json } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { SortKey } from './list-fields.ts'
import { listColumn, parseColumnValue } from './list-fields.ts'
import type { ListQuery } from './list-records.ts'
import type { After } from './query-for-entity.ts'
import type { EntityRecord } from './record-rows.ts'
import type { EntityTable } from './table-for-entity.ts'

/** A sort value may be a text of 4000 characters. */
const longest = 24_000

/** Another filter or order is another list: its pages cannot be continued by this one's cursor. */
function digestOf(table: EntityTable, query: ListQuery, sort: readonly SortKey[]): string {
  const list = JSON.stringify([table.module, table.entity, query.where ?? true, sort])
  return createHash('sha256').update(list).digest('base64url').slice(0, 16)
}

export function cursorAfter(
  table: EntityTable,
  query: ListQuery,
  sort: readonly SortKey[],
  last: EntityRecord,
): string {
  const values = sort.map(({ field }) => valueAt(last, field))
  return Buffer.from(JSON.stringify([digestOf(table, query, sort), ...values])).toString('base64url')
}

/** @throws CURSOR_INVALID */
export function readCursor(
  table: EntityTable,
  query: ListQuery,
  sort: readonly SortKey[],
  cursor: string,
): After {
  const parts = cursor.length > longest ? undefined : parse(cursor)
  const [digest, ...values] = parts ?? []
  if (digest !== digestOf(table, query, sort) || values.length !== sort.length) throw errors.cursorInvalid({})
  return sort.map(({ field }, index) => {
    const column = listColumn(table.spec, field)
    const value = values[index]
    if (column?.column.nullable && value === null) return null
    const parsed = column ? parseColumnValue(column, value) : undefined
    if (!parsed || 'problem' in parsed || typeof parsed.value === 'object') throw errors.cursorInvalid({})
    return parsed.value
  })
}

function parse(cursor: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

/** `total.amount` is inside `total`. */
function valueAt(record: EntityRecord, field: string): Json {
  const [name = '', part] = field.split('.')
  const value = record[name]
  if (part === undefined) return value ?? null
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  return (value as Readonly<Record<string, Json>>)[part] ?? null
}
