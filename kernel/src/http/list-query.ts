// The query of a list: `status=draft&date[gte]=2026-01-01&sort=-date&limit=20&cursor=...`, parsed and checked
// against the entity's fields, with every wrong parameter named.
import type { EntitySpec } from '@plinth/sdk'
import type { ComparisonOperator, Condition } from '../data/condition.ts'
import type { ListQuery } from '../data/entity-store.ts'
import { isFilterable, parseFilterValue, type SortKey, sortProblem } from '../data/list-fields.ts'
import { largestPage } from '../data/list-records.ts'
import { errors, type FieldError } from '../errors.ts'

const operators: readonly ComparisonOperator[] = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'contains']
const mostFilters = 20

const isOperator = (text: string): text is ComparisonOperator => operators.some((op) => op === text)

function parseLimit(text: string): number | FieldError {
  const limit = Number(text)
  if (/^\d+$/.test(text) && limit >= 1 && limit <= largestPage) return limit
  return { field: 'limit', code: 'OUT_OF_RANGE', message: `must be a whole number from 1 to ${largestPage}` }
}

function parseSort(spec: EntitySpec, text: string): SortKey[] | FieldError {
  const keys = text.split(',').map((part): SortKey => {
    const descending = part.startsWith('-')
    return { field: descending ? part.slice(1) : part, descending }
  })
  return sortProblem(spec, keys) ?? keys
}

function parseFilter(spec: EntitySpec, name: string, text: string): Condition | FieldError {
  const [, field = name, op = 'eq'] = /^([^[\]]+)\[([^[\]]+)\]$/.exec(name) ?? []
  if (!isFilterable(spec, field)) {
    return {
      field: name,
      code: 'UNKNOWN_FIELD',
      message: 'is neither a parameter nor a field of these records',
    }
  }
  if (!isOperator(op)) {
    return { field: name, code: 'UNKNOWN_OPERATOR', message: `must use one of ${operators.join(', ')}` }
  }
  const texts = op === 'in' ? text.split(',') : [text]
  const values = texts.map((one) => parseFilterValue(spec, field, op, one))
  const wrong = values.find((value) => 'problem' in value)
  if (wrong && 'problem' in wrong) return { field: name, code: 'INVALID', message: wrong.problem }
  const parsed = values.flatMap((value) => ('value' in value ? [value.value] : []))
  return { field, op, value: op === 'in' ? parsed : parsed[0] }
}

const isFieldError = (value: object | boolean | number): value is FieldError =>
  typeof value === 'object' && 'code' in value && 'message' in value

/** @throws VALIDATION_FAILED naming every wrong parameter */
export function parseListQuery(
  spec: EntitySpec,
  query: Readonly<Record<string, string | string[] | undefined>>,
): ListQuery {
  const problems: FieldError[] = []
  const where: Condition[] = []
  let result: ListQuery = {}
  const take = <T extends object | boolean | number>(value: T | FieldError, keep: (value: T) => void) => {
    if (isFieldError(value)) problems.push(value)
    else keep(value)
  }
  for (const [name, given] of Object.entries(query)) {
    const text = Array.isArray(given) ? given.join(',') : (given ?? '')
    if (name === 'limit') take(parseLimit(text), (limit: number) => (result = { ...result, limit }))
    else if (name === 'sort') take(parseSort(spec, text), (sort: SortKey[]) => (result = { ...result, sort }))
    else if (name === 'cursor') result = { ...result, cursor: text }
    else take(parseFilter(spec, name, text), (condition) => where.push(condition))
  }
  if (where.length > mostFilters) {
    problems.push({ field: 'query', code: 'TOO_MANY', message: `has more than ${mostFilters} filters` })
  }
  if (problems.length > 0) throw errors.validation({ errors: problems })
  return where.length > 0 ? { ...result, where: { all: where } } : result
}
