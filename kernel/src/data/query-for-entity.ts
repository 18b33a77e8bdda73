// Statements whose form depends on what was asked: conditions and lists. Their text comes from closed sets (columns
// of the entity, operators) through knex, is built once per form and then prepared like any other.
import knex, { type Knex } from 'knex'
import { LRUCache } from 'lru-cache'
import { allStand, type DefencesOff } from '../defences.ts'
import type { Condition } from './condition.ts'
import { type ConditionSql, conditionSql, Slots } from './condition-sql.ts'
import type { SortKey } from './list-fields.ts'
import { listColumn } from './list-fields.ts'
import { quoteName } from './sql-names.ts'
import { type Statement, statementName } from './statement.ts'
import type { EntityTable } from './table-for-entity.ts'

/** Forms kept per entity: a client can ask for any combination of filters. */
const mostForms = 500

/** Where a page starts: the sort values of the record before it. */
export type After = readonly (string | number | boolean | null)[]

export interface Selection {
  readonly tenant: string
  readonly id?: string
  readonly conditions: readonly Condition[]
  /** Ends with the id. */
  readonly sort?: readonly SortKey[]
  readonly after?: After
  readonly limit?: number
}

interface Form {
  readonly name: string
  readonly text: string
  /** For each $n of the text, which of the selection's values it is. */
  readonly order: readonly number[]
}

export type SelectBuilder = (selection: Selection) => Statement

export function selectBuilder(table: EntityTable, off: DefencesOff = allStand): SelectBuilder {
  // Without a connection: it only writes SQL.
  const builder = knex({ client: 'pg' })
  const forms = new LRUCache<string, Form>({ max: mostForms })
  return (selection) => {
    const slots = new Slots()
    const tenant = off.has('tenantCondition') ? undefined : slots.add(selection.tenant)
    const id = selection.id === undefined ? undefined : slots.add(selection.id)
    const parts = selection.conditions.map((condition) => conditionSql(table.spec, condition, slots))
    const after = selection.after && afterSql(table, selection.sort ?? [], selection.after, slots)
    const limit = selection.limit === undefined ? undefined : slots.add(selection.limit)
    const where = after ? [...parts, after] : parts
    const sort = sortSql(table, selection.sort ?? [])
    const key = [id, limit, sort, ...where.map((part) => part.text)].join('\n')
    let form = forms.get(key)
    if (!form) {
      form = build(builder, table, { tenant, id, where, sort, limit })
      forms.set(key, form)
    }
    return { name: form.name, text: form.text, values: form.order.map((slot) => slots.values[slot]) }
  }
}

function build(
  builder: Knex,
  table: EntityTable,
  parts: {
    readonly tenant: number | undefined
    readonly id: number | undefined
    readonly where: readonly ConditionSql[]
    readonly sort: string
    readonly limit: number | undefined
  },
): Form {
  // Slots stand where values would: knex numbers them and says in which order they come.
  const query = builder.select(builder.raw(table.selectList)).from(builder.raw(`${table.sqlName} AS t`))
  if (parts.tenant !== undefined) query.where('t.tenant_id', parts.tenant)
  if (parts.id !== undefined) query.where('t.id', parts.id)
  for (const { text, slots } of parts.where) query.whereRaw(text, [...slots])
  if (parts.sort !== '') query.orderByRaw(parts.sort)
  if (parts.limit !== undefined) query.limit(parts.limit)
  const { sql, bindings } = query.toSQL().toNative()
  return { name: statementName(sql), text: sql, order: bindings.map(Number) }
}

interface SortColumn {
  readonly name: string
  readonly nullable: boolean
  readonly descending: boolean
}

function sortColumns(table: EntityTable, sort: readonly SortKey[]): SortColumn[] {
  return sort.map(({ field, descending }) => {
    const column = listColumn(table.spec, field)?.column
    if (!column) throw new Error(`'${field}' cannot be sorted by`)
    return { name: `t.${quoteName(column.name)}`, nullable: column.nullable, descending }
  })
}

/** PostgreSQL's own order, which its indexes have: without a value comes last, and first when descending. */
const sortSql = (table: EntityTable, sort: readonly SortKey[]): string =>
  sortColumns(table, sort)
    .map(({ name, descending }) => (descending ? `${name} DESC` : name))
    .join(', ')

function afterSql(table: EntityTable, sort: readonly SortKey[], after: After, slots: Slots): ConditionSql {
  const columns = sortColumns(table, sort)
  const values = columns.map((column, index) => ({ ...column, value: after[index] ?? null }))
  const [first] = columns
  const comparable = values.every(
    ({ nullable, value, descending }) => !nullable && value !== null && descending === first?.descending,
  )
  if (comparable && first) {
    // One comparison of rows can walk an index; the long form cannot.
    const names = columns.map((column) => column.name).join(', ')
    return {
      text: `(${names}) ${first.descending ? '<' : '>'} (${columns.map(() => '?').join(', ')})`,
      slots: values.map(({ value }) => slots.add(value)),
    }
  }
  const used: number[] = []
  const ways = values.map((last, index) => {
    const same = values.slice(0, index).map((column) => sameSql(column, slots, used))
    return [...same, laterSql(last, slots, used)].join(' AND ')
  })
  return { text: `(${ways.map((way) => `(${way})`).join(' OR ')})`, slots: used }
}

type SortValue = SortColumn & { readonly value: string | number | boolean | null }

function sameSql({ name, value }: SortValue, slots: Slots, used: number[]): string {
  if (value === null) return `${name} IS NULL`
  used.push(slots.add(value))
  return `${name} = ?`
}

function laterSql({ name, value, nullable, descending }: SortValue, slots: Slots, used: number[]): string {
  if (value === null) return descending ? `${name} IS NOT NULL` : 'FALSE'
  used.push(slots.add(value))
  if (descending) return `${name} < ?`
  return nullable ? `(${name} > ? OR ${name} IS NULL)` : `${name} > ?`
}
