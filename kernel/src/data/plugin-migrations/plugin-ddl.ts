// The SQL of an operation. Every name passes `quoteName`, every type is one of the field kinds'; nothing a plugin
// wrote gets into the text but default values, as quoted literals.
import pg from 'pg'
import { baseColumns, type Column, columnsForField, positionColumn } from '../field-kinds/columns.ts'
import { constraintName, entityTable, linesTable, parentColumn, quoteName } from '../sql-names.ts'
import { columnDefaults } from './column-defaults.ts'
import type { Operation, StoredField, StoredFields } from './operations.ts'
import { linesOf, numberSeriesTable, own, type StorageShape } from './storage-shape.ts'

/** Tables first, then what refers to them: entities of one migration may refer to each other. */
export interface Ddl {
  readonly tables: readonly string[]
  readonly constraints: readonly string[]
}

/** Runs as a policy of every table: the only rows there are, are the tenant's. */
export const tenantPolicy = '(tenant_id = kernel.tenant_id())'

const tenantColumn = 'tenant_id uuid not null default kernel.tenant_id()'

/** `shape` is what the plugin's tables are before the operation. */
export function ddlOf(schema: string, operation: Operation, shape: StorageShape): Ddl {
  const table = entityTable(operation.entity)
  switch (operation.op) {
    case 'createEntity':
      return createEntity(schema, operation.entity, operation.spec)
    case 'addIndex': {
      const fields = own(shape, operation.entity)?.fields ?? {}
      return { tables: [], constraints: [listIndex(schema, table, operation.fields, fields)] }
    }
    case 'addField':
      if (operation.spec.kind === 'lines') {
        return createLines(schema, operation.entity, operation.field, operation.spec.fields ?? {})
      }
      return addField(schema, placeTable(operation), operation.field, operation.spec)
    case 'makeOptional': {
      const fields = own(shape, operation.entity)?.fields ?? {}
      const lines = operation.lines === undefined ? fields : own(fields, operation.lines)?.fields
      const spec = own(lines ?? {}, operation.field)
      const columns = spec ? columnsForField(operation.field, spec) : []
      return {
        tables: columns.map(
          (column) =>
            `alter table ${at(schema, placeTable(operation))} alter column ${quoteName(column.name)} drop not null`,
        ),
        constraints: [],
      }
    }
  }
}

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

const at = (schema: string, table: string): string => `${quoteName(schema)}.${quoteName(table)}`

const placeTable = (place: { entity: string; lines?: string }): string =>
  place.lines === undefined ? entityTable(place.entity) : linesTable(place.entity, place.lines)

const definition = (column: Column): string =>
  `${quoteName(column.name)} ${column.type}${column.nullable ? '' : ' not null'}`

function createEntity(
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
      ...spec.indexes.map((index) => listIndex(schema, table, index, spec.fields)),
      ...lines.flatMap((ddl) => ddl.constraints),
    ],
  }
}

function createLines(schema: string, entity: string, field: string, fields: StoredFields): Ddl {
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

/** A default only for the rows already there: new ones get theirs from the kernel, which knows the manifest. */
function addField(schema: string, table: string, name: string, spec: StoredField): Ddl {
  const defaults = columnDefaults(name, spec)
  if (!defaults)
    throw new Error(`Field '${name}' is required and has no default: it cannot be added to records.`)
  return {
    tables: columnsForField(name, spec).flatMap((column) => {
      const add = `alter table ${at(schema, table)} add column ${definition(column)}`
      const value = own(defaults, column.name)
      if (value === undefined) return [add]
      const drop = `alter table ${at(schema, table)} alter column ${quoteName(column.name)} drop default`
      return [`${add} default ${pg.escapeLiteral(String(value))}`, drop]
    }),
    constraints: fieldConstraints(schema, table, { [name]: spec }),
  }
}

function fieldConstraints(schema: string, table: string, fields: StoredFields): string[] {
  return Object.entries(fields).flatMap(([name, spec]) => {
    const columns = columnsForField(name, spec).map((column) => column.name)
    const named = (kind: 'key' | 'fkey') =>
      `alter table ${at(schema, table)} add constraint ${quoteName(constraintName(table, columns, kind))}`
    const list = ['tenant_id', ...columns].map(quoteName).join(', ')
    const constraints: string[] = []
    // A number given twice would be a mistake of ours, and this is where it would stop.
    if (spec.unique || spec.kind === 'sequence') constraints.push(`${named('key')} unique (${list})`)
    if (spec.kind === 'ref' && isOwn(spec.entity)) {
      const target = at(schema, entityTable(spec.entity))
      constraints.push(
        `${named('fkey')} foreign key (${list}) references ${target} (tenant_id, id) on delete restrict`,
      )
      // Without it, deleting the record that is referred to would read this whole table.
      if (!spec.unique) constraints.push(createIndex(schema, table, columns))
    }
    return constraints
  })
}

/** Another plugin's records may live elsewhere: they are asked for through its services, and have no foreign key. */
const isOwn = (entity: string | undefined): entity is string => entity !== undefined && !entity.includes('.')

function createIndex(schema: string, table: string, columns: readonly string[]): string {
  return `create index on ${at(schema, table)} (${['tenant_id', ...columns].map(quoteName).join(', ')})`
}

/** The id ends the order of every list, so it ends the index that serves one. */
const listIndex = (schema: string, table: string, names: readonly string[], fields: StoredFields): string =>
  createIndex(schema, table, [...fieldColumns(names, fields), 'id'])

function fieldColumns(names: readonly string[], fields: StoredFields): string[] {
  return names.flatMap((name) => {
    const spec = own(fields, name)
    if (!spec || spec.kind === 'lines') throw new Error(`There is no field '${name}' to make an index on.`)
    return columnsForField(name, spec).map((column) => column.name)
  })
}
