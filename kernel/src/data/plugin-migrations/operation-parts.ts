// The SQL of one operation, with the locks it takes. On a table that tenants use (`online`) nothing scans it under a
// lock that keeps them out: indexes are built concurrently, constraints are added unproven and proven afterwards.
import type { Json } from '@plinth/sdk'
import pg from 'pg'
import { columnsForField } from '../field-kinds/columns.ts'
import { entityTable, linesTable, parentColumn, quoteName, sqlName } from '../sql-names.ts'
import { fillValues } from './column-defaults.ts'
import type { DdlStatement, LockLevel, OperationPart, Step } from './migration-steps.ts'
import type { FieldOperation, FieldPlace, IndexOperation, Operation, StoredField } from './operations.ts'
import { placeName } from './operations.ts'
import {
  addColumns,
  at,
  createEntity,
  createKey,
  createLines,
  type Ddl,
  fieldKeys,
  foreignKey,
  keyColumns,
  listKey,
  placeTable,
  type TableKey,
} from './plugin-ddl.ts'
import { linesOf, numberSeriesTable, own, type StorageShape } from './storage-shape.ts'

const nothing: OperationPart = { tables: [], keys: [], later: [] }
/** Rows of one batch: well within the statement timeout of the data login. */
const batchRows = 5_000

/** `shape` is before the operation, `after` after it. */
export function partOf(
  schema: string,
  operation: Operation,
  shape: StorageShape,
  after: StorageShape,
  online: boolean,
): OperationPart {
  const table = entityTable(operation.entity)
  switch (operation.op) {
    case 'createEntity':
      return newTables(table, createEntity(schema, operation.entity, operation.spec))
    case 'renameEntity':
      return renameEntity(schema, operation.entity, operation.to, shape)
    case 'retireEntity':
    case 'restoreEntity':
    case 'retireIndex':
    case 'restoreIndex':
      return nothing
    case 'dropEntity':
      return dropEntity(schema, operation.entity, shape)
    case 'backfill': {
      if (!online) return nothing
      const fill = { by: 'update', sql: operation.sql, shape } as const
      return { ...nothing, later: [{ kind: 'fill', entity: operation.entity, table, fill }] }
    }
    case 'addIndex':
    case 'dropIndex':
      return indexPart(schema, table, operation, shape, online)
    default:
      return fieldPart(schema, operation, shape, after, online)
  }
}

function indexPart(
  schema: string,
  table: string,
  operation: IndexOperation,
  shape: StorageShape,
  online: boolean,
): OperationPart {
  const key = listKey(table, operation.fields, own(shape, operation.entity)?.fields ?? {})
  if (operation.op === 'addIndex') return addKeys(schema, [key], online)
  return { ...nothing, keys: [dropKey(schema, key)] }
}

const ddl = (
  table: string,
  text: string,
  lock: LockLevel = 'ACCESS EXCLUSIVE',
  work: DdlStatement['work'] = 'catalogue',
): DdlStatement => ({ text, table, lock, work })

const newTables = (table: string, { tables, constraints }: Ddl): OperationPart => ({
  tables: tables.map((text) => ddl(table, text)),
  keys: constraints.map((text) => ddl(table, text, 'SHARE ROW EXCLUSIVE')),
  later: [],
})

function fieldPart(
  schema: string,
  operation: FieldOperation,
  shape: StorageShape,
  after: StorageShape,
  online: boolean,
): OperationPart {
  const table = placeTable(operation)
  const { field } = operation
  if (operation.op === 'addField') {
    const { spec } = operation
    if (spec.kind === 'lines') {
      const lines = linesTable(operation.entity, field)
      return newTables(lines, createLines(schema, operation.entity, field, spec.fields ?? {}))
    }
    const keys = addKeys(schema, fieldKeys(table, field, spec), online)
    return { ...keys, tables: addColumns(schema, table, field, spec).map((text) => ddl(table, text)) }
  }
  const spec = fieldAt(shape, operation)
  const columns = columnsForField(field, spec).map((column) => column.name)
  const alter = (column: string, text: string) =>
    ddl(table, `alter table ${at(schema, table)} alter column ${quoteName(column)} ${text}`)
  switch (operation.op) {
    case 'renameField':
      return renameField(schema, operation, operation.to, spec)
    case 'makeOptional':
    case 'retireField':
      // Versions that do not know the field insert without it.
      return { ...nothing, tables: columns.map((column) => alter(column, 'drop not null')) }
    case 'restoreField':
      return nothing
    case 'dropField':
      return dropField(schema, operation, spec)
    case 'makeRequired':
      if (!online) return { ...nothing, tables: columns.map((column) => alter(column, 'set not null')) }
      return makeRequired(schema, operation, columns)
    case 'fillField': {
      if (!online) return nothing
      const later: Step = {
        kind: 'fill',
        entity: operation.entity,
        table,
        fill: batches(schema, operation, spec),
      }
      return { ...nothing, later: [later] }
    }
    case 'addUnique':
    case 'dropUnique': {
      const [was, is] = [fieldKeys(table, field, spec), fieldKeys(table, field, fieldAt(after, operation))]
      const gone = was.filter((key) => !is.some((other) => other.name === key.name))
      const added = addKeys(
        schema,
        is.filter((key) => !was.some((other) => other.name === key.name)),
        online,
        placeName(operation),
      )
      return { ...added, tables: gone.map((key) => dropKey(schema, key)) }
    }
  }
}

function fieldAt(shape: StorageShape, place: FieldPlace): StoredField {
  const fields = own(shape, place.entity)?.fields ?? {}
  const all = place.lines === undefined ? fields : (own(fields, place.lines)?.fields ?? {})
  const spec = own(all, place.field)
  if (!spec) throw new Error(`There is no field '${placeName(place)}'.`)
  return spec
}

function dropKey(schema: string, key: TableKey): DdlStatement {
  if (key.kind === 'index') return ddl(key.table, `drop index ${at(schema, key.name)}`)
  return ddl(key.table, `alter table ${at(schema, key.table)} drop constraint ${quoteName(key.name)}`)
}

function addKeys(schema: string, keys: readonly TableKey[], online: boolean, field = ''): OperationPart {
  if (!online) {
    const made = keys.map((key) => ddl(key.table, createKey(schema, key), 'SHARE ROW EXCLUSIVE'))
    return { ...nothing, keys: made }
  }
  return { ...nothing, later: keys.flatMap((key) => keySteps(schema, key, field)) }
}

function keySteps(schema: string, key: TableKey, field: string): Step[] {
  const table = at(schema, key.table)
  const name = quoteName(key.name)
  if (key.kind === 'foreign') {
    const prove = `alter table ${table} validate constraint ${name}`
    return [
      {
        kind: 'validate',
        add: [ddl(key.table, `${foreignKey(schema, key)} not valid`, 'SHARE ROW EXCLUSIVE')],
        prove: [ddl(key.table, prove, 'SHARE UPDATE EXCLUSIVE', 'scan')],
        undo: `alter table ${table} drop constraint if exists ${name}`,
        problem: `There are records of ${key.table} that refer to nothing.`,
      },
    ]
  }
  const unique = key.kind === 'unique'
  const text = `create ${unique ? 'unique ' : ''}index concurrently ${name} on ${table} (${keyColumns(key)})`
  const build: Step = {
    kind: 'index',
    name: key.name,
    statement: ddl(key.table, text, 'SHARE UPDATE EXCLUSIVE', 'scan'),
    problem: `Field '${field}' cannot be made unique: a tenant has two records with the same value. Give them different ones first.`,
  }
  if (!unique) return [build]
  const attach = `alter table ${table} add constraint ${name} unique using index ${name}`
  return [build, { kind: 'ddl', statements: [ddl(key.table, attach)] }]
}

/** SET NOT NULL alone would read the whole table under a lock that keeps everybody out. */
function makeRequired(schema: string, place: FieldPlace, columns: readonly string[]): OperationPart {
  const table = placeTable(place)
  const alter = `alter table ${at(schema, table)}`
  const checks = columns.map((column) => ({
    column: quoteName(column),
    name: quoteName(sqlName(`${table}_${column}_required`)),
  }))
  const prove: Step = {
    kind: 'validate',
    add: checks.map(({ column, name }) =>
      ddl(table, `${alter} add constraint ${name} check (${column} is not null) not valid`),
    ),
    prove: checks.map(({ name }) =>
      ddl(table, `${alter} validate constraint ${name}`, 'SHARE UPDATE EXCLUSIVE', 'scan'),
    ),
    undo: checks.map(({ name }) => `${alter} drop constraint if exists ${name}`).join('; '),
    problem: `Field '${placeName(place)}' cannot be made required: there are records without a value. Write a backfill before it that gives them one.`,
  }
  const finish = checks.flatMap(({ column, name }) => [
    ddl(table, `${alter} alter column ${column} set not null`),
    ddl(table, `${alter} drop constraint ${name}`),
  ])
  return { ...nothing, later: [prove, { kind: 'ddl', statements: finish }] }
}

function batches(schema: string, operation: FieldPlace & { readonly value: Json }, spec: StoredField) {
  const table = at(schema, placeTable(operation))
  const values = fillValues(operation.field, spec, operation.value)
  if (!values)
    throw new Error(
      `fillField '${placeName(operation)}': the value does not fit a field of kind ${spec.kind}.`,
    )
  const set = Object.entries(values).map(([name, value]) => `${quoteName(name)} = ${pg.escapeLiteral(value)}`)
  const [first = ''] = Object.keys(values)
  const text = `update ${table} set ${set.join(', ')} where ctid in (select ctid from ${table} where ${quoteName(first)} is null limit ${batchRows})`
  return { by: 'batches', text } as const
}

function renameField(schema: string, place: FieldPlace, to: string, spec: StoredField): OperationPart {
  const { entity, field } = place
  if (spec.kind === 'lines') {
    const [from, now] = [linesTable(entity, field), linesTable(entity, to)]
    return { ...nothing, tables: [renameTable(schema, from, now)], renames: true }
  }
  const table = placeTable(place)
  const now = columnsForField(to, spec)
  const tables = columnsForField(field, spec).map((column, index) =>
    renameColumn(schema, table, column.name, now[index]?.name ?? ''),
  )
  const series =
    spec.kind === 'sequence' ? renameSeries(schema, [[`${entity}.${field}`, `${entity}.${to}`]]) : []
  return { ...nothing, tables: [...tables, ...series], renames: true }
}

const renameTable = (schema: string, from: string, to: string): DdlStatement =>
  ddl(from, `alter table ${at(schema, from)} rename to ${quoteName(to)}`)

const renameColumn = (schema: string, table: string, from: string, to: string): DdlStatement =>
  ddl(table, `alter table ${at(schema, table)} rename column ${quoteName(from)} to ${quoteName(to)}`)

function renameEntity(schema: string, from: string, to: string, shape: StorageShape): OperationPart {
  const fields = own(shape, from)?.fields ?? {}
  const tables = [renameTable(schema, entityTable(from), entityTable(to))]
  for (const [field] of linesOf(fields)) {
    const lines = linesTable(to, field)
    tables.push(renameTable(schema, linesTable(from, field), lines))
    tables.push(renameColumn(schema, lines, parentColumn(from), parentColumn(to)))
  }
  const series = seriesOf(fields).map((field): [string, string] => [`${from}.${field}`, `${to}.${field}`])
  return { ...nothing, tables: [...tables, ...renameSeries(schema, series)], renames: true }
}

const seriesOf = (fields: Readonly<Record<string, StoredField>>): string[] =>
  Object.entries(fields).flatMap(([name, spec]) => (spec.kind === 'sequence' ? [name] : []))

/** The owner sees no tenant's rows; for as long as the lock is held nobody else sees the table. */
const acrossTenants = (schema: string, texts: readonly string[]): DdlStatement[] => {
  if (texts.length === 0) return []
  const table = at(schema, numberSeriesTable)
  const all = [
    `alter table ${table} no force row level security`,
    ...texts,
    `alter table ${table} force row level security`,
  ]
  return all.map((text) => ddl(numberSeriesTable, text, 'ACCESS EXCLUSIVE', 'scan'))
}

const renameSeries = (schema: string, names: readonly (readonly [string, string])[]): DdlStatement[] =>
  acrossTenants(
    schema,
    names.map(
      ([from, to]) =>
        `update ${at(schema, numberSeriesTable)} set series = ${pg.escapeLiteral(to)} where series = ${pg.escapeLiteral(from)}`,
    ),
  )

const deleteSeries = (schema: string, names: readonly string[]): DdlStatement[] =>
  acrossTenants(
    schema,
    names.map(
      (name) => `delete from ${at(schema, numberSeriesTable)} where series = ${pg.escapeLiteral(name)}`,
    ),
  )

function dropField(schema: string, place: FieldPlace, spec: StoredField): OperationPart {
  if (spec.kind === 'lines') {
    const lines = linesTable(place.entity, place.field)
    return { ...nothing, tables: [ddl(lines, `drop table ${at(schema, lines)}`)] }
  }
  const table = placeTable(place)
  const columns = columnsForField(place.field, spec).map(({ name }) =>
    ddl(table, `alter table ${at(schema, table)} drop column ${quoteName(name)}`),
  )
  const series = spec.kind === 'sequence' ? deleteSeries(schema, [placeName(place)]) : []
  return { ...nothing, tables: [...columns, ...series] }
}

/** CASCADE takes the foreign keys of tables that are retired as well; nothing else may refer to it. */
function dropEntity(schema: string, entity: string, shape: StorageShape): OperationPart {
  const fields = own(shape, entity)?.fields ?? {}
  const tables = [...linesOf(fields).map(([field]) => linesTable(entity, field)), entityTable(entity)]
  const series = seriesOf(fields).map((field) => `${entity}.${field}`)
  return {
    ...nothing,
    tables: [
      ...tables.map((table) => ddl(table, `drop table ${at(schema, table)} cascade`)),
      ...deleteSeries(schema, series),
    ],
  }
}
