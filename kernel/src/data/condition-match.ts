// A Condition as a function of one record: what condition-sql.ts asks of a row, asked of the record that row shows. The
// two must agree on every value, so both take operators and values from list-fields.ts, and numbers, moments and texts
// are compared here as PostgreSQL compares them.
import { compareDecimals, type EntitySpec, type Json } from '@plinth/sdk'
import type { Comparison, ComparisonOperator, Condition } from './condition.ts'
import { type ListColumn, listColumn, parseFilterValue } from './list-fields.ts'

type Values = Readonly<Record<string, unknown>>
export type Matcher = (record: Values) => boolean

/** What a condition cannot be asked of: `condition-sql.ts` refuses the same. */
export class ConditionInvalid extends Error {}

/** @throws ConditionInvalid for a field, an operator or a value that the entity does not have */
export function matcherOf(spec: EntitySpec, condition: Condition): Matcher {
  if (typeof condition === 'boolean') return () => condition
  if ('all' in condition) {
    const parts = condition.all.map((part) => matcherOf(spec, part))
    return (record) => parts.every((meets) => meets(record))
  }
  if ('any' in condition) {
    const parts = condition.any.map((part) => matcherOf(spec, part))
    return (record) => parts.some((meets) => meets(record))
  }
  if ('not' in condition) {
    const meets = matcherOf(spec, condition.not)
    return (record) => !meets(record)
  }
  return comparison(spec, condition)
}

function comparison(spec: EntitySpec, { field, op, value }: Comparison): Matcher {
  const column = listColumn(spec, field)
  if (!column) throw new ConditionInvalid(`'${field}' is not a field that can be compared.`)
  if (value === null) {
    if (op === 'eq') return (record) => valueAt(record, field) === null
    if (op === 'ne') return (record) => valueAt(record, field) !== null
  }
  const parsed = (one: unknown): Json => {
    const result = parseFilterValue(spec, field, op, one)
    if ('problem' in result) throw new ConditionInvalid(`'${field}' ${result.problem}`)
    return result.value
  }
  const order = orderOf(column)
  if (op === 'in') {
    if (!Array.isArray(value)) throw new ConditionInvalid(`'${field}' must be compared with a list.`)
    const wanted = value.map(parsed)
    return (record) => {
      const own = valueAt(record, field)
      return own !== null && wanted.some((one) => order(own, one) === 0)
    }
  }
  const decide = byOrder[op]
  if (!decide) throw new ConditionInvalid(`'${field}' cannot be compared by '${op}' in memory.`)
  const wanted = parsed(value)
  return (record) => {
    const own = valueAt(record, field)
    // A field without a value differs from any, and is neither before nor after one.
    return own === null ? op === 'ne' : decide(order(own, wanted))
  }
}

const byOrder: Readonly<Partial<Record<ComparisonOperator, (order: number) => boolean>>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
}

/** `total.amount` is inside `total`; a field that is not there has no value. */
function valueAt(record: Values, field: string): unknown {
  const [name = '', part] = field.split('.')
  const value = Object.hasOwn(record, name) ? record[name] : undefined
  if (part === undefined) return value ?? null
  return typeof value === 'object' && value !== null && part in value
    ? ((value as Values)[part] ?? null)
    : null
}

function orderOf({ kind }: ListColumn): (a: unknown, b: unknown) => number {
  if (kind === 'decimal' || kind === 'money') return (a, b) => compareDecimals(String(a), String(b))
  if (kind === 'int') return (a, b) => Number(a) - Number(b)
  if (kind === 'moment') return (a, b) => Date.parse(String(a)) - Date.parse(String(b))
  // By code point, as COLLATE "C" orders UTF-8; `<` of JavaScript goes by UTF-16 units and differs beyond them.
  return (a, b) => (a === b ? 0 : Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b))))
}
