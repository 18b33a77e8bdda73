// Fields to their specs, with the keys of each spec in one order, however its author chained the calls.
import type { FieldSpec, FieldSpecs } from '../manifest.ts'
import type { AnyField, Fields } from './field.ts'

export const specsOf = (fields: Fields | undefined): FieldSpecs =>
  Object.fromEntries(Object.entries(fields ?? {}).map(([key, field]) => [key, ordered(specOf(key, field))]))

/** Who writes without a compiler may have given anything. */
function specOf(key: string, field: AnyField | undefined): FieldSpec {
  if (field?.spec === undefined) throw new Error(`'${key}' is no field: use t.text() and its like.`)
  return field.spec
}

// A record rather than a list, so that a key which FieldSpec gains and this order lacks does not compile.
const ORDER: Readonly<Record<keyof FieldSpec, true>> = {
  kind: true,
  optional: true,
  default: true,
  unique: true,
  personal: true,
  min: true,
  max: true,
  entity: true,
  pattern: true,
  at: true,
  dateField: true,
  transitions: true,
  initial: true,
  values: true,
  fields: true,
}

const rank = (key: string) => Object.keys(ORDER).indexOf(key)

function ordered(spec: FieldSpec): FieldSpec {
  const { kind, ...rest } = spec
  return { kind, ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => rank(a) - rank(b))) }
}
