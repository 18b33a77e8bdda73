// What a plugin's INSERT, UPDATE and DELETE may touch. Tables and columns whose values the kernel promises something
// about (versions, states, numbers, records that no longer change) are out of SQL's reach, each with the reason why.
import type { EntitySpec, FieldSpec } from '@plinth/sdk'
import { baseColumns, columnsForField, positionColumn } from '../field-kinds/columns.ts'
import { initialState } from '../field-kinds/parse-fields.ts'
import { entityTable, linesTable, parentColumn } from '../sql-names.ts'

export interface WritableTable {
  readonly entity: string
  /** Records have a version and a history; lines are a part of their record. */
  readonly kind: 'record' | 'lines'
  /** Why nothing may be written here, in a sentence. */
  readonly refused?: string
  /** Columns that INSERT may name; UPDATE may, but for `fixed`. */
  readonly settable: ReadonlySet<string>
  /** Those of a row's identity: set once. */
  readonly fixed: ReadonlySet<string>
  /** Column to the reason why it may not be set, in half a sentence. */
  readonly kept: Readonly<Record<string, string>>
  /** Columns of each unique key, without the tenant. */
  readonly keys: readonly (readonly string[])[]
  /** Columns that INSERT fills with a text: the state a record begins in. */
  readonly initial: Readonly<Record<string, string>>
}

type Entity = Pick<EntitySpec, 'fields'> & Partial<Pick<EntitySpec, 'immutableIn'>>

export function writableTables(
  entities: Readonly<Record<string, Entity>>,
): Readonly<Record<string, WritableTable>> {
  const tables: Record<string, WritableTable> = {}
  for (const [entity, spec] of Object.entries(entities)) {
    const refused = whyRefused(entity, spec)
    tables[entityTable(entity)] = { ...recordTable(entity, spec), ...refused }
    for (const [field, { kind, fields }] of Object.entries(spec.fields)) {
      if (kind !== 'lines') continue
      tables[linesTable(entity, field)] = { ...lineTable(entity, fields ?? {}), ...refused }
    }
  }
  return tables
}

function whyRefused(entity: string, { immutableIn = [] }: Entity): { refused?: string } {
  if (immutableIn.length === 0) return {}
  return {
    refused: `a ${entity} cannot be changed once it is ${immutableIn.join(' or ')}, and the kernel alone can tell; use ctx.entities.${entity}.`,
  }
}

const keptBase: Readonly<Record<string, string>> = Object.fromEntries(
  baseColumns.filter(({ name }) => name !== 'id').map(({ name }) => [name, 'the kernel sets it']),
)

function recordTable(entity: string, { fields }: Entity): WritableTable {
  const { settable, kept, keys } = columnsOf(fields)
  const initial: Record<string, string> = {}
  for (const [name, spec] of Object.entries(fields)) {
    if (spec.kind !== 'state') continue
    for (const column of columnsForField(name, spec)) initial[column.name] = initialState(spec)
  }
  return {
    entity,
    kind: 'record',
    settable: new Set(['id', ...settable]),
    fixed: new Set(['id']),
    kept: { ...keptBase, ...kept },
    keys: [['id'], ...keys],
    initial,
  }
}

function lineTable(entity: string, fields: EntitySpec['fields']): WritableTable {
  const { settable, kept, keys } = columnsOf(fields)
  const parent = parentColumn(entity)
  return {
    entity,
    kind: 'lines',
    settable: new Set([parent, positionColumn.name, ...settable]),
    fixed: new Set([parent]),
    kept: { tenant_id: 'the kernel sets it', ...kept },
    keys: [[parent, positionColumn.name], ...keys],
    initial: {},
  }
}

const whyKept: Partial<Record<FieldSpec['kind'], string>> = {
  state: 'a state is moved by actions',
  sequence: 'the kernel gives the numbers',
}

function columnsOf(fields: EntitySpec['fields']) {
  const settable: string[] = []
  const kept: Record<string, string> = {}
  const keys: string[][] = []
  for (const [name, spec] of Object.entries(fields)) {
    const columns = columnsForField(name, spec).map((column) => column.name)
    const why = whyKept[spec.kind]
    for (const column of columns) {
      if (why === undefined) settable.push(column)
      else kept[column] = why
    }
    if (spec.unique && why === undefined) keys.push(columns)
  }
  return { settable, kept, keys }
}
