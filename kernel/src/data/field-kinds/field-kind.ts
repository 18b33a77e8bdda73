// What the kernel knows of one kind of field. A new kind is one file here and one row in kinds.ts.
import type { FieldSpec, FieldSpecs, Json } from '@plinth/sdk'
import type { FieldError } from '../../errors.ts'
import type { Row } from '../statement.ts'

/** Where a value stands while it is parsed, and what was wrong so far. */
export interface Place {
  /** `lines.1.debit` */
  readonly path: string
  /** Values come from a query string, where everything is text. */
  readonly coerce: boolean
  readonly errors: FieldError[]
  /** For kinds made of fields. */
  parseFields(fields: FieldSpecs, input: unknown, path: string): Record<string, Json>
}

export type JsonSchema = { readonly [keyword: string]: unknown }

/** Whether a schema is for what a client sends or for what it gets. */
export type SchemaFor = 'input' | 'output'

export interface FieldKind {
  /** The value as it is stored and shown, or undefined with an error added to the place. */
  parse(value: unknown, spec: FieldSpec, place: Place): Json | undefined
  /** One value per column of `columnsForField`; null in all of them for a field without a value. */
  toColumns(value: Json | undefined): unknown[]
  /** The value in the columns that start at `at`; undefined for none. */
  fromRow(row: Row, at: number): Json | undefined
  jsonSchema(spec: FieldSpec, purpose: SchemaFor, schemaOf: SchemaOfFields): JsonSchema
}

/** Schema of an object made of fields; given to kinds that are made of fields. */
export type SchemaOfFields = (fields: FieldSpecs, purpose: SchemaFor) => JsonSchema

export function refuse(place: Place, code: string, message: string, below = ''): undefined {
  place.errors.push({ field: `${place.path}${below}`, code, message })
  return undefined
}

/** Storage of a kind whose value is one column's value. */
export const oneColumn: Pick<FieldKind, 'toColumns' | 'fromRow'> = {
  toColumns: (value) => [value ?? null],
  fromRow: (row, at) => row[at] ?? undefined,
}

/** Text that PostgreSQL can store and JSON can carry, else undefined. */
export function cleanText(value: unknown, place: Place): string | undefined {
  if (typeof value !== 'string') return refuse(place, 'WRONG_TYPE', 'must be a text.')
  if (value.includes('\0')) return refuse(place, 'TEXT_INVALID', 'must not contain a NUL character.')
  if (!value.isWellFormed()) return refuse(place, 'TEXT_INVALID', 'must be well-formed Unicode.')
  return value
}
