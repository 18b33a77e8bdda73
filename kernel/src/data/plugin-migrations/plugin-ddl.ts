// The SQL of an operation. Every name passes `quoteName`, every type is one of the field kinds'; nothing a plugin
// wrote gets into the text but default values, as quoted literals.
import pg from 'pg'
import { baseColumns, type Column, columnsForField, positionColumn } from '../field-kinds/columns.ts'
import { constraintName, entityTable, linesTable, parentColumn, quoteName } from '../sql-names.ts'
import { columnDefaults } from './column-defaults.ts'
import type { StoredField, StoredFields } from './operations.ts'
import { linesOf, numberSeriesTable, own } from './storage-shape.ts'

/** Tables first, then what refers to them: entities of one migration may refer to each other. */
export interface Ddl {
  readonly tables: readonly string[]
  readonly constraints: readonly string[]
}

/** Runs as a policy of every table: the only rows there are, are the tenant's. */
export const tenantPolicy = '(tenant_id = kernel.tenant_id())'

const tenantColumn = 'tenant_id uuid not null default kernel.tenant_id()'

/** The kernel's counters for the plugin's number series. */
export const createNumberSeries = (schema: string): string =>
  `create table if not exists ${at(schema, numberSeriesTable)} (
  ${tenantColumn},
  series text not null,
  period text not null,
  last bigint not null,
  primary key (tenant_id, series, period)
)`

/** Forced: without it the owner of a table sees all rows. */
export const protectTable = (schema: string, table: string): string[] => [
  `alter table ${at(schema, table)} enable row level security`,
  `alter table ${at(schema, table)} force row level security`,
  `create policy tenant on ${at(schema, table)} using ${tenantPolicy} with check ${tenantPolicy}`,
]

export const at = (schema: string, table: string): string => `${quoteName(schema)}.${quoteName(table)}`

/** Of a field's columns. */
export const placeTable = (place: { readonly entity: string; readonly lines?: string }): string =>
  place.lines === undefined ? entityTable(place.entity) : linesTable(place.entity, place.lines)

export const definition = (column: Column): string =>
  `${quoteName(column.name)} ${column.type}${column.nullable ? '' : ' not null'}`

export function createEntity(
  schema: string,
  entity: string,
  spec: { fields: StoredFields; indexes: readonly (readonly string[])[] },
): Ddl {
  const table = entityTable(entity)
  const [, ...base] = baseColumns
  const lines = linesOf(spec.fields).map(([field, fields]) => createLines(schema, entity, field, fields))
  return {
    tables: [
      createTable(schema, table, [
        tenantColumn,
        ...base.map(definition),
        ...definitions(spec.fields),
        'primary key (tenant_id, id)',
      ]),
      ...protectTable(schema, table),
      ...lines.flatMap((ddl) => ddl.tables),
    ],
    constraints: [
      ...fieldConstraints(schema, table, spec.fields),
      ...distinct(spec.indexes).map((index) => createKey(schema, listKey(table, index, spec.fields))),
      ...lines.flatMap((ddl) => ddl.constraints),
    ],
  }
}

export const distinct = (indexes: readonly (readonly string[])[]) =>
  indexes.filter((index, at) => indexes.findIndex((other) => other.join() === index.join()) === at)

export function createLines(schema: string, entity: string, field: string, fields: StoredFields): Ddl {
  const table = linesTable(entity, field)
  const parent = quoteName(parentColumn(entity))
  const position = quoteName(positionColumn.name)
  return {
    tables: [
      createTable(schema, table, [
        tenantColumn,
        `${parent} uuid not null`,
        definition(positionColumn),
        ...definitions(fields),
        `primary key (tenant_id, ${parent}, ${position})`,
        `foreign key (tenant_id, ${parent}) references ${at(schema, entityTable(entity))} (tenant_id, id) on delete cascade`,
      ]),
      ...protectTable(schema, table),
    ],
    constraints: fieldConstraints(schema, table, fields),
  }
}

const createTable = (schema: string, table: string, parts: readonly string[]): string =>
  `create table ${at(schema, table)} (\n  ${parts.join(',\n  ')}\n)`

const definitions = (fields: StoredFields): string[] =>
  Object.entries(fields).flatMap(([name, spec]) => columnsForField(name, spec).map(definition))

/**
 * The default stays: a version of the plugin that does not know the field goes on inserting without it. A version that
 * knows it gives all columns, so the default decides nothing for it.
 */
export function addColumns(schema: string, table: string, name: string, spec: StoredField): string[] {
  const defaults = columnDefaults(name, spec)
  if (!defaults)
    throw new Error(`Field '${name}' is required and has no default: it cannot be added to records.`)
  return columnsForField(name, spec).map((column) => {
    const value = own(defaults, column.name)
    const given = value === undefined ? '' : ` default ${pg.escapeLiteral(String(value))}`
    return `alter table ${at(schema, table)} add column ${definition(column)}${given}`
  })
}

/** A constraint or an index of a table. Its columns come after tenant_id, which every key starts with. */
export interface TableKey {
  readonly kind: 'unique' | 'foreign' | 'index'
  readonly table: string
  readonly name: string
  readonly columns: readonly string[]
  /** The table a foreign key refers to. */
  readonly target?: string
}

export const tableKey = (
  kind: TableKey['kind'],
  table: string,
  columns: readonly string[],
  target?: string,
): TableKey => {
  const ending = { unique: 'key', foreign: 'fkey', index: 'idx' } as const
  const name = constraintName(table, columns, ending[kind])
  return { kind, table, name, columns, ...(target !== undefined && { target }) }
}

export function fieldKeys(table: string, name: string, spec: StoredField): TableKey[] {
  const columns = columnsForField(name, spec).map((column) => column.name)
  const keys: TableKey[] = []
  // A number given twice would be a mistake of ours, and this is where it would stop.
  if (spec.unique || spec.kind === 'sequence') keys.push(tableKey('unique', table, columns))
  if (spec.kind === 'ref' && isOwn(spec.entity)) {
    keys.push(tableKey('foreign', table, columns, entityTable(spec.entity)))
    // Without it, deleting the record that is referred to would read this whole table.
    if (!spec.unique) keys.push(tableKey('index', table, columns))
  }
  return keys
}

/** Another plugin's records may live elsewhere: they are asked for through its services, and have no foreign key. */
const isOwn = (entity: string | undefined): entity is string => entity !== undefined && !entity.includes('.')

/** The id ends the order of every list, so it ends the index that serves one. */
export const listKey = (table: string, names: readonly string[], fields: StoredFields): TableKey =>
  tableKey('index', table, [...fieldColumns(names, fields), 'id'])

export const keyColumns = (key: TableKey): string => ['tenant_id', ...key.columns].map(quoteName).join(', ')

export const foreignKey = (schema: string, key: TableKey): string =>
  `alter table ${at(schema, key.table)} add constraint ${quoteName(key.name)} foreign key (${keyColumns(key)}) references ${at(schema, key.target ?? '')} (tenant_id, id) on delete restrict`

/** For a table that nobody uses yet. */
export function createKey(schema: string, key: TableKey): string {
  if (key.kind === 'foreign') return foreignKey(schema, key)
  if (key.kind === 'unique')
    return `alter table ${at(schema, key.table)} add constraint ${quoteName(key.name)} unique (${keyColumns(key)})`
  return `create index ${quoteName(key.name)} on ${at(schema, key.table)} (${keyColumns(key)})`
}

function fieldConstraints(schema: string, table: string, fields: StoredFields): string[] {
  const keys = Object.entries(fields).flatMap(([name, spec]) => fieldKeys(table, name, spec))
  return keys.map((key) => createKey(schema, key))
}

function fieldColumns(names: readonly string[], fields: StoredFields): string[] {
  return names.flatMap((name) => {
    const spec = own(fields, name)
    if (!spec || spec.kind === 'lines') throw new Error(`There is no field '${name}' to make an index on.`)
    return columnsForField(name, spec).map((column) => column.name)
  })
}
