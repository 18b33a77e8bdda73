// Records from rows and back. A record shows what is there: fields without a value are absent, lines are in order.
import type { Json } from '@plinth/sdk'
import type { Values } from './field-kinds/parse-fields.ts'
import { baseFields } from './list-fields.ts'
import type { Row } from './statement.ts'
import { type EntityTable, type FieldColumns, type LinesTable, readFields } from './table-for-entity.ts'

/** A record as the API shows it. Fields without a value are absent. */
export interface EntityRecord {
  readonly id: string
  readonly version: number
  readonly createdAt: string
  readonly createdBy: string
  readonly updatedAt: string
  readonly updatedBy: string
  readonly [field: string]: Json
}

export interface RecordBase {
  readonly id: string
  readonly version: number
  readonly createdAt: string
  readonly createdBy: string
  readonly updatedAt: string
  readonly updatedBy: string
}

/** A row of `table.selectList`. */
export function recordFromRow(table: EntityTable, row: Row): EntityRecord {
  const record: Record<string, Json> = {}
  for (const [at, name] of baseFields.entries()) record[name] = row[at] ?? null
  readFields(table.fields, row, record)
  let at = baseFields.length + table.fields.reduce((sum, field) => sum + field.columns.length, 0)
  for (const lines of table.lines) {
    record[lines.name] = linesFromRow(lines, row[at] ?? [])
    at += 1
  }
  return inOrder(table, record)
}

/** The record that storing `values` gives: made here, so that nobody has to read it back. */
export function recordOf(table: EntityTable, base: RecordBase, values: Values): EntityRecord {
  return inOrder(table, { ...values, ...base })
}

function inOrder(table: EntityTable, values: Readonly<Record<string, Json>>): EntityRecord {
  const record: Record<string, Json> = {}
  for (const name of baseFields) record[name] = values[name] ?? null
  for (const name of Object.keys(table.spec.fields)) {
    const value = values[name]
    if (value !== undefined && value !== null) record[name] = value
  }
  for (const lines of table.lines) record[lines.name] ??= []
  return record as EntityRecord
}

function linesFromRow(lines: LinesTable, rows: Json): Json {
  if (!Array.isArray(rows)) return []
  return rows.map((row: Row) => {
    const line: Record<string, Json> = {}
    readFields(lines.columns, row, line)
    return line
  })
}

/** Values of the columns of `fields`, in their order. */
export const columnValues = (fields: readonly FieldColumns[], values: Values): unknown[] =>
  fields.flatMap((field) => field.kind.toColumns(values[field.name]))

/** Lines as the JSON text that `lines.insert` takes apart; positions count from 1. */
export function linesAsJson(lines: LinesTable, values: Json | undefined): string {
  const rows = Array.isArray(values) ? values : []
  return JSON.stringify(
    rows.map((line: Values, index) => {
      const row: Record<string, unknown> = { position: index + 1 }
      for (const field of lines.columns) {
        const stored = field.kind.toColumns(line[field.name])
        for (const [at, column] of field.columns.entries()) row[column.name] = stored[at]
      }
      return row
    }),
  )
}
