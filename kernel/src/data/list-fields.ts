// What a list may be filtered and sorted by: the fields every record has and the entity's own single-valued ones,
// with `total.amount` and `total.currency` for money. A closed set: nothing else ever gets into a query's text.
import type { EntitySpec, FieldSpec, Json } from '@plinth/sdk'
import type { FieldError } from '../errors.ts'
import type { ComparisonOperator } from './condition.ts'
import { baseColumns, type Column, columnsForField } from './field-kinds/columns.ts'
import { cleanText, type Place } from './field-kinds/field-kind.ts'
import { fieldKinds } from './field-kinds/kinds.ts'

type ListKind = 'text' | 'moment' | 'id' | Exclude<FieldSpec['kind'], 'text' | 'lines' | 'object' | 'ref'>

export interface ListColumn {
  readonly column: Column
  readonly kind: ListKind
  readonly spec: FieldSpec
}

export type ParsedValue = { readonly value: Json } | { readonly problem: string }

const ordered: readonly ComparisonOperator[] = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in']
const textual: readonly ComparisonOperator[] = [...ordered, 'contains']

const operators: Readonly<Record<ListKind, readonly ComparisonOperator[]>> = {
  text: textual,
  sequence: textual,
  choice: ['eq', 'ne', 'in'],
  state: ['eq', 'ne', 'in'],
  bool: ['eq', 'ne'],
  int: ordered,
  decimal: ordered,
  money: ordered,
  date: ordered,
  moment: ordered,
  id: ordered,
}

const text: FieldSpec = { kind: 'text' }
const baseKinds: Readonly<Record<string, { readonly kind: ListKind; readonly spec: FieldSpec }>> = {
  id: { kind: 'id', spec: { kind: 'ref' } },
  version: { kind: 'int', spec: { kind: 'int' } },
  createdAt: { kind: 'moment', spec: text },
  createdBy: { kind: 'text', spec: text },
  updatedAt: { kind: 'moment', spec: text },
  updatedBy: { kind: 'text', spec: text },
}

/** Names of the base columns as records show them; tenant_id is shown nowhere. */
export const baseFields: readonly string[] = Object.keys(baseKinds)

/** The column behind a field of a list, undefined when there is none. */
export function listColumn(spec: EntitySpec, field: string): ListColumn | undefined {
  if (Object.hasOwn(baseKinds, field)) {
    const base = baseKinds[field]
    const column = baseColumns[baseFields.indexOf(field) + 1]
    return base && column && { ...base, column }
  }
  const [name = '', part, ...rest] = field.split('.')
  const own = Object.hasOwn(spec.fields, name) ? spec.fields[name] : undefined
  if (!own || own.kind === 'lines' || own.kind === 'object' || rest.length > 0) return undefined
  const [first, second] = columnsForField(name, own)
  if (own.kind === 'money') {
    if (part === 'amount' && first) return { column: first, kind: 'money', spec: { kind: 'decimal' } }
    if (part === 'currency' && second) return { column: second, kind: 'text', spec: text }
    return undefined
  }
  if (part !== undefined || !first) return undefined
  return { column: first, kind: own.kind === 'ref' ? 'id' : own.kind, spec: own }
}

export const isFilterable = (spec: EntitySpec, field: string): boolean =>
  listColumn(spec, field) !== undefined

export interface SortKey {
  readonly field: string
  readonly descending: boolean
}

const mostSortKeys = 4

/** What is wrong with the order of a list, whoever asks for it. */
export function sortProblem(spec: EntitySpec, sort: readonly SortKey[]): FieldError | undefined {
  const wrong = sort.find(({ field }) => !isFilterable(spec, field))
  if (wrong) {
    const message = `cannot sort by '${wrong.field.slice(0, 60)}'.`
    return { field: 'sort', code: 'UNKNOWN_FIELD', message }
  }
  if (sort.length > mostSortKeys || new Set(sort.map(({ field }) => field)).size < sort.length) {
    return { field: 'sort', code: 'INVALID', message: `must name ${mostSortKeys} fields at most, each once.` }
  }
  return undefined
}

/** Every field a list can be filtered by, with the operators it allows. */
export function listFields(
  spec: EntitySpec,
): { readonly field: string; readonly operators: readonly ComparisonOperator[] }[] {
  const own = Object.entries(spec.fields).flatMap(([name, { kind }]) =>
    kind === 'money' ? [`${name}.amount`, `${name}.currency`] : [name],
  )
  return [...baseFields, ...own].flatMap((field) => {
    const column = listColumn(spec, field)
    return column ? [{ field, operators: operators[column.kind] }] : []
  })
}

/** One value to compare a field with, as it comes from a query string or from a plugin. */
export function parseFilterValue(
  spec: EntitySpec,
  field: string,
  operator: ComparisonOperator,
  value: unknown,
): ParsedValue {
  const column = listColumn(spec, field)
  if (!column) return { problem: 'is not a field that records can be filtered by.' }
  const allowed = operators[column.kind]
  if (!allowed.includes(operator)) return { problem: `can only be compared by ${allowed.join(', ')}.` }
  return parseColumnValue(column, value)
}

/** As `parseFilterValue`, for a column that is known to allow the operator. */
export function parseColumnValue({ kind, spec }: ListColumn, value: unknown): ParsedValue {
  const place: Place = { path: '', coerce: true, errors: [], parseFields: () => ({}) }
  const parsed = parseOf(kind, spec, value, place)
  return parsed === undefined ? { problem: place.errors[0]?.message ?? 'is not valid.' } : { value: parsed }
}

function parseOf(kind: ListKind, spec: FieldSpec, value: unknown, place: Place): Json | undefined {
  // Bounds of a field are for what is stored, not for what somebody looks for.
  if (kind === 'text' || kind === 'sequence') return cleanText(value, place)
  if (kind === 'moment') return parseMoment(value, place)
  if (kind === 'int') return fieldKinds.int.parse(value, { kind: 'int' }, place)
  return fieldKinds[spec.kind].parse(value, spec, place)
}

/** A moment, or a day for its start in UTC. */
function parseMoment(value: unknown, place: Place): string | undefined {
  const form = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/
  const time = typeof value === 'string' && form.test(value) ? Date.parse(value) : Number.NaN
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  place.errors.push({
    field: place.path,
    code: 'MOMENT_INVALID',
    message: 'must be a date or a moment such as "2026-02-28T12:00:00Z".',
  })
  return undefined
}
