// One entity compiled against its tables: where each field is, how a row becomes a record and a record a row, and
// the texts of the statements that are the same every time. Made once, when the plugin is loaded.
import type { EntitySpec, FieldSpec, FieldSpecs, Json, Manifest } from '@plinth/sdk'
import { type Column, columnsForField, positionColumn } from './field-kinds/columns.ts'
import type { FieldKind } from './field-kinds/field-kind.ts'
import { fieldKinds } from './field-kinds/kinds.ts'
import { baseFields } from './list-fields.ts'
import {
  constraintName,
  entityTable,
  linesTable,
  parentColumn,
  pluginRole,
  pluginSchema,
  quoteName,
} from './sql-names.ts'
import { prepared, type Row, type Statement } from './statement.ts'
import { touchingOne } from './touching-one.ts'

export interface FieldColumns {
  readonly name: string
  readonly spec: FieldSpec
  readonly kind: FieldKind
  readonly columns: readonly Column[]
  /** Place of the first column among the columns of its table. */
  readonly at: number
}

export interface LinesTable {
  readonly name: string
  readonly table: string
  readonly sqlName: string
  readonly columns: readonly FieldColumns[]
  readonly insert: (values: readonly unknown[]) => Statement
  readonly clear: (values: readonly unknown[]) => Statement
}

export interface EntityTable {
  readonly module: string
  readonly entity: string
  readonly spec: EntitySpec
  /** As which every statement runs. */
  readonly role: string
  readonly schema: string
  readonly table: string
  /** Quoted, with its schema. */
  readonly sqlName: string
  readonly fields: readonly FieldColumns[]
  readonly lines: readonly LinesTable[]
  /** Everything a record needs, from the table as `t`. */
  readonly selectList: string
  /** Name of the state field. */
  readonly state: string | undefined
  readonly sequences: readonly FieldColumns[]
  /** $1 tenant, $2 id. */
  readonly get: (values: readonly unknown[]) => Statement
  readonly lock: (values: readonly unknown[]) => Statement
  /** Base columns with the tenant first, then the columns of the fields. */
  readonly insert: (values: readonly unknown[]) => Statement
  /**
   * $1 tenant, $2 id, $3 version it was, $4 states it must not be in, $5 version, $6 and $7 updated, then the fields.
   * Refused where somebody else was faster.
   */
  readonly update: (values: readonly unknown[]) => Statement
  /** $1 tenant, $2 id, $3 version it was, $4 states it must not be in. Refused where somebody else was faster. */
  readonly remove: (values: readonly unknown[]) => Statement
}

export function tableForEntity(manifest: Manifest, entity: string, rolePrefix: string): EntityTable {
  const spec = Object.hasOwn(manifest.entities, entity) ? manifest.entities[entity] : undefined
  if (!spec) throw new Error(`there is no entity '${entity}' in '${manifest.name}'`)
  const schema = pluginSchema(manifest.name)
  const table = entityTable(entity)
  const sqlName = `${quoteName(schema)}.${quoteName(table)}`
  const fields = fieldColumns(spec.fields, baseFields.length)
  const lines = Object.entries(spec.fields).flatMap(([name, field]) =>
    field.kind === 'lines' ? [linesOf(schema, entity, name, field.fields ?? {})] : [],
  )
  const state = fields.find((field) => field.spec.kind === 'state')
  const selectList = selectListOf(fields, lines, entity)
  const columns = fields.flatMap((field) => field.columns.map((column) => quoteName(column.name)))
  const row = `WHERE t.tenant_id = $1 AND t.id = $2`
  const guard = state?.columns[0]
    ? `${quoteName(state.columns[0].name)} <> ALL ($4::text[])`
    : '$4::text[] IS NOT NULL'
  const changeable = `WHERE tenant_id = $1 AND id = $2 AND version = $3 AND ${guard}`
  return {
    module: manifest.name,
    entity,
    spec,
    role: pluginRole(rolePrefix, manifest.name),
    schema,
    table,
    sqlName,
    fields,
    lines,
    selectList,
    state: state?.name,
    sequences: fields.filter((field) => field.spec.kind === 'sequence'),
    get: prepared(`SELECT ${selectList} FROM ${sqlName} AS t ${row}`),
    lock: prepared(`SELECT t.version FROM ${sqlName} AS t ${row} FOR NO KEY UPDATE OF t`),
    insert: prepared(
      `INSERT INTO ${sqlName} (${['tenant_id', ...baseColumnNames, ...columns].join(', ')}) VALUES (${slots(1, 1 + baseColumnNames.length + columns.length)})`,
    ),
    update: touchingOne(
      `UPDATE ${sqlName} SET version = $5, updated_at = $6, updated_by = $7${columns
        .map((column, index) => `, ${column} = $${index + 8}`)
        .join('')} ${changeable}`,
    ),
    remove: touchingOne(`DELETE FROM ${sqlName} ${changeable}`),
  }
}

/** In the order of `baseFields`. */
const baseColumnNames = ['id', 'version', 'created_at', 'created_by', 'updated_at', 'updated_by']

function fieldColumns(specs: FieldSpecs, start: number): FieldColumns[] {
  let at = start
  return Object.entries(specs).flatMap(([name, spec]) => {
    const columns = columnsForField(name, spec)
    if (columns.length === 0) return []
    const field = { name, spec, kind: fieldKinds[spec.kind], columns, at }
    at += columns.length
    return [field]
  })
}

function linesOf(schema: string, entity: string, name: string, specs: FieldSpecs): LinesTable {
  const table = linesTable(entity, name)
  const sqlName = `${quoteName(schema)}.${quoteName(table)}`
  const columns = fieldColumns(specs, 0)
  const parent = quoteName(parentColumn(entity))
  const all = [positionColumn, ...columns.flatMap((field) => field.columns)]
  const names = all.map((column) => quoteName(column.name))
  const types = all.map((column) => `${quoteName(column.name)} ${column.type}`)
  return {
    name,
    table,
    sqlName,
    columns,
    insert: prepared(
      `INSERT INTO ${sqlName} (tenant_id, ${parent}, ${names.join(', ')}) SELECT $1, $2, ${names
        .map((column) => `l.${column}`)
        .join(', ')} FROM json_to_recordset($3) AS l(${types.join(', ')})`,
    ),
    clear: prepared(`DELETE FROM ${sqlName} WHERE tenant_id = $1 AND ${parent} = $2`),
  }
}

function selectListOf(fields: readonly FieldColumns[], lines: readonly LinesTable[], entity: string): string {
  const parent = quoteName(parentColumn(entity))
  return [
    ...baseColumnNames.map((column) => `t.${column}`),
    ...fields.flatMap((field) => field.columns.map((column) => `t.${quoteName(column.name)}`)),
    ...lines.map((part) => {
      const values = part.columns.flatMap((field) => field.columns.map(asJsonValue))
      return `(SELECT json_agg(json_build_array(${values.join(', ')}) ORDER BY l.position) FROM ${part.sqlName} AS l WHERE l.tenant_id = t.tenant_id AND l.${parent} = t.id)`
    }),
  ].join(', ')
}

/** As JSON numbers, numerics would lose digits. */
const asJsonValue = (column: Column): string =>
  column.type === 'numeric' ? `l.${quoteName(column.name)}::text` : `l.${quoteName(column.name)}`

const slots = (first: number, count: number): string =>
  Array.from({ length: count }, (_, index) => `$${first + index}`).join(', ')

/** Which fields, and of which lines, the constraint is about. */
export function fieldsOfConstraint(
  table: EntityTable,
  constraint: string,
):
  | { readonly lines: LinesTable | undefined; readonly field: FieldColumns; readonly unique: boolean }
  | undefined {
  const places = [
    { name: table.table, lines: undefined, fields: table.fields },
    ...table.lines.map((lines) => ({ name: lines.table, lines, fields: lines.columns })),
  ]
  for (const { name, lines, fields } of places) {
    for (const field of fields) {
      const columns = field.columns.map((column) => column.name)
      if (constraint === constraintName(name, columns, 'key')) return { lines, field, unique: true }
      if (constraint === constraintName(name, columns, 'fkey')) return { lines, field, unique: false }
    }
  }
  return undefined
}

/** The fields' values in a row, and only those that are there. */
export function readFields(fields: readonly FieldColumns[], row: Row, into: Record<string, Json>): void {
  for (const { name, kind, at } of fields) {
    const value = kind.fromRow(row, at)
    if (value !== undefined) into[name] = value
  }
}
