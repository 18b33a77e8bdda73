// What rows that are already there get in the columns of a new field.
import type { Json } from '@plinth/sdk'
import { columnsForField } from '../field-kinds/columns.ts'
import type { StoredField } from './operations.ts'

type Value = string | number | boolean

/** By column; empty: NULL will do. Undefined: the field needs a value and has none to give. */
export function columnDefaults(name: string, spec: StoredField): Record<string, Value> | undefined {
  const columns = columnsForField(name, spec)
  if (columns.every((column) => column.nullable)) return {}
  const value = spec.kind === 'state' ? spec.initial : spec.default
  if (value === undefined || spec.kind === 'ref' || spec.kind === 'sequence') return undefined
  return partsByColumn(name, spec, value)
}

/** One value for a field, as text by column. Undefined: it is no value of this kind. */
export function fillValues(name: string, spec: StoredField, value: Json): Record<string, string> | undefined {
  const parts = partsByColumn(name, spec, value)
  return parts && Object.fromEntries(Object.entries(parts).map(([column, part]) => [column, String(part)]))
}

function partsByColumn(name: string, spec: StoredField, value: Json): Record<string, Value> | undefined {
  const columns = columnsForField(name, spec)
  const values = spec.kind === 'money' ? moneyParts(value) : [value]
  const named = columns.map((column, index) => [column.name, values[index]] as const)
  return named.length > 0 && named.every(isGiven) ? Object.fromEntries(named) : undefined
}

const isGiven = (pair: readonly [string, Json | undefined]): pair is readonly [string, Value] =>
  ['string', 'number', 'boolean'].includes(typeof pair[1])

const moneyParts = (value: Json): (Json | undefined)[] =>
  typeof value === 'object' && value !== null && 'amount' in value && 'currency' in value
    ? [value.amount, value.currency]
    : []
