// Which columns hold a field. The DDL and the queries both read this: it is the only place that says so.
import type { FieldSpec } from '@plinth/sdk'
import { snakeCase, sqlName } from '../sql-names.ts'

export interface Column {
  readonly name: string
  /** As in CREATE TABLE. */
  readonly type: 'text' | 'integer' | 'numeric' | 'boolean' | 'date' | 'uuid' | 'timestamptz(3)'
  readonly nullable: boolean
}

const column = (name: string, type: Column['type'], nullable = false): Column => ({
  name: sqlName(name),
  type,
  nullable,
})

const single = (type: Column['type']) => (name: string, spec: FieldSpec) => [
  column(snakeCase(name), type, spec.optional === true),
]

const none = (): Column[] => []

const byKind: Record<FieldSpec['kind'], (name: string, spec: FieldSpec) => Column[]> = {
  text: single('text'),
  int: single('integer'),
  // Unconstrained numeric keeps the digits it was given: '1.50' comes back as '1.50'.
  decimal: single('numeric'),
  bool: single('boolean'),
  date: single('date'),
  choice: single('text'),
  state: single('text'),
  ref: single('uuid'),
  // A number given at a state does not exist before it.
  sequence: (name, spec) => [column(snakeCase(name), 'text', spec.at !== undefined)],
  money: (name, spec) => [
    column(`${snakeCase(name)}_amount`, 'numeric', spec.optional === true),
    column(`${snakeCase(name)}_currency`, 'text', spec.optional === true),
  ],
  // Lines have a table of their own; objects exist in inputs and answers only.
  lines: none,
  object: none,
}

/** Columns of a field in its entity's table (or in the lines table it belongs to). */
export const columnsForField = (name: string, spec: FieldSpec): Column[] => byKind[spec.kind](name, spec)

/**
 * Columns that every entity's table starts with. `timestamptz(3)`: records show milliseconds, and a cursor made
 * from what a record shows must find its row again.
 */
export const baseColumns: readonly Column[] = [
  column('tenant_id', 'uuid'),
  column('id', 'uuid'),
  column('version', 'integer'),
  column('created_at', 'timestamptz(3)'),
  column('created_by', 'text'),
  column('updated_at', 'timestamptz(3)'),
  column('updated_by', 'text'),
]

/** Columns that every lines table starts with, after tenant_id and the record's id. */
export const positionColumn: Column = column('position', 'integer')
