// A Condition as SQL. Fields and operators are looked up in closed sets, values are parsed as their field's kind and
// only ever become parameters.
import type { EntitySpec } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { Comparison, ComparisonOperator, Condition } from './condition.ts'
import { type ListColumn, listColumn, parseColumnValue, parseFilterValue } from './list-fields.ts'
import { quoteName } from './sql-names.ts'

/** SQL with a `?` for each of `slots`. */
export interface ConditionSql {
  readonly text: string
  readonly slots: readonly number[]
}

/** The values of a statement while its text is being made, each with its number. */
export class Slots {
  readonly values: unknown[] = []
  add(value: unknown): number {
    return this.values.push(value) - 1
  }
}

/** Deeper or larger ones are no list filter and no permission. */
const deepest = 20
const mostValues = 1000

const comparison: Readonly<Record<Exclude<ComparisonOperator, 'in'>, string>> = {
  eq: '= ?',
  // A field without a value is not equal to any.
  ne: 'IS DISTINCT FROM ?',
  gt: '> ?',
  gte: '>= ?',
  lt: '< ?',
  lte: '<= ?',
  contains: 'ILIKE ?',
}

export function conditionSql(spec: EntitySpec, condition: Condition, slots: Slots, depth = 0): ConditionSql {
  if (depth > deepest) throw new Error('a condition is nested too deeply')
  if (typeof condition === 'boolean') return { text: condition ? 'TRUE' : 'FALSE', slots: [] }
  if ('all' in condition) return joined(spec, condition.all, ' AND ', 'TRUE', slots, depth)
  if ('any' in condition) return joined(spec, condition.any, ' OR ', 'FALSE', slots, depth)
  if ('not' in condition) {
    const part = conditionSql(spec, condition.not, slots, depth + 1)
    // Neither true nor false counts as not met, so its negation is met: in SQL's NOT it would be lost.
    return { text: `(${part.text}) IS NOT TRUE`, slots: part.slots }
  }
  return compared(spec, condition, slots)
}

function joined(
  spec: EntitySpec,
  conditions: readonly Condition[],
  word: string,
  empty: string,
  slots: Slots,
  depth: number,
): ConditionSql {
  const parts = conditions.map((condition) => conditionSql(spec, condition, slots, depth + 1))
  if (parts.length === 0) return { text: empty, slots: [] }
  return {
    text: parts.map((part) => `(${part.text})`).join(word),
    slots: parts.flatMap((part) => part.slots),
  }
}

function compared(spec: EntitySpec, { field, op, value, bytewise }: Comparison, slots: Slots): ConditionSql {
  const column = listColumn(spec, field)
  if (!column) refuse(field, 'UNKNOWN_FIELD', 'is not a field that records can be filtered by.')
  const plain = `t.${quoteName(column.column.name)}`
  const name = bytewise && column.column.type === 'text' ? `${plain} COLLATE "C"` : plain
  if (value === null && (op === 'eq' || op === 'ne')) {
    return { text: `${name} IS ${op === 'eq' ? '' : 'NOT '}NULL`, slots: [] }
  }
  if (op === 'in') {
    const list = slots.add(parsedList(spec, column, field, value))
    return { text: `${name} = ANY (?::${column.column.type}[])`, slots: [list] }
  }
  if (!Object.hasOwn(comparison, op)) refuse(field, 'UNKNOWN_OPERATOR', `cannot be compared by '${op}'.`)
  const parsed = parseFilterValue(spec, field, op, value)
  if ('problem' in parsed) refuse(field, 'FILTER_INVALID', parsed.problem)
  const slot = slots.add(op === 'contains' ? likeText(String(parsed.value)) : parsed.value)
  return { text: `${name} ${comparison[op]}`, slots: [slot] }
}

function parsedList(spec: EntitySpec, column: ListColumn, field: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) refuse(field, 'FILTER_INVALID', 'must be a list.')
  if (value.length > mostValues) refuse(field, 'FILTER_INVALID', `must have at most ${mostValues} values.`)
  return value.map((one, index) => {
    // The operator is looked at once, the values each.
    const parsed = index === 0 ? parseFilterValue(spec, field, 'in', one) : parseColumnValue(column, one)
    if ('problem' in parsed) refuse(field, 'FILTER_INVALID', parsed.problem)
    return parsed.value
  })
}

/** `%` and `_` are what somebody looks for, not wildcards. */
const likeText = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`

function refuse(field: string, code: string, message: string): never {
  throw errors.validation({ errors: [{ field: field.slice(0, 60), code, message }] })
}
