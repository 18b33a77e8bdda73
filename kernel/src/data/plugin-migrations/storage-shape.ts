// What tables a plugin has, as data: from its manifest (what it wants) or from its migrations (what is there, also
// what is retired). How an operation changes it is in fold-operations.ts.
import type { Manifest } from '@plinth/sdk'
import { baseColumns, columnsForField, positionColumn } from '../field-kinds/columns.ts'
import { entityTable, linesTable, parentColumn } from '../sql-names.ts'
import { type StoredEntity, type StoredField, type StoredFields, storedFields } from './operations.ts'

export type StorageShape = Readonly<Record<string, StoredEntity>>

/** The kernel's own table in every plugin's schema. */
export const numberSeriesTable = 'number_series'

export const storageShape = (manifest: Manifest): StorageShape =>
  Object.fromEntries(
    Object.entries(manifest.entities).map(([name, entity]) => [
      name,
      { fields: storedFields(entity.fields), indexes: entity.indexes },
    ]),
  )

export const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

/** Fields of a `lines` field, by the field's name. */
export const linesOf = (fields: StoredFields): [string, StoredFields][] =>
  Object.entries(fields).flatMap(([name, spec]) => (spec.kind === 'lines' ? [[name, spec.fields ?? {}]] : []))

/** Sentences about two things that would be one table or one column: `total` (money) and `totalAmount`. */
export function nameCollisions(shape: StorageShape): string[] {
  const tables: [string, string][] = [[numberSeriesTable, 'the number series of the kernel']]
  const problems: string[] = []
  for (const [entity, { fields }] of Object.entries(shape)) {
    tables.push([entityTable(entity), `entity '${entity}'`])
    const base = baseColumns.map((column) => column.name)
    problems.push(...columnCollisions(`entity '${entity}'`, base, fields))
    for (const [field, lineFields] of linesOf(fields)) {
      tables.push([linesTable(entity, field), `the lines '${entity}.${field}'`])
      const lineBase = ['tenant_id', parentColumn(entity), positionColumn.name]
      problems.push(...columnCollisions(`the lines '${entity}.${field}'`, lineBase, lineFields))
    }
  }
  return [...problems, ...collisions(tables, 'table')]
}

function columnCollisions(place: string, base: readonly string[], fields: StoredFields): string[] {
  const columns: [string, string][] = base.map((name) => [name, `a column of the kernel in ${place}`])
  for (const [name, spec] of Object.entries(fields)) {
    for (const column of columnsForField(name, spec)) columns.push([column.name, `'${name}' in ${place}`])
  }
  return collisions(columns, 'column')
}

function collisions(named: readonly (readonly [string, string])[], kind: 'table' | 'column'): string[] {
  const first = new Map<string, string>()
  return named.flatMap(([name, what]) => {
    const other = first.get(name)
    first.set(name, other ?? what)
    return other === undefined ? [] : [`${sentenceStart(what)} and ${other} would share the ${kind} ${name}.`]
  })
}

const sentenceStart = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** How a field differs from what is stored, but for being unique; the way from one to the other is in diff-fields.ts. */
export type FieldChange = 'same' | 'made optional' | 'made required' | 'other kind' | 'other target'

export function fieldChange(stored: StoredField, wanted: StoredField): FieldChange {
  if (stored.kind !== wanted.kind) return 'other kind'
  if (stored.entity !== wanted.entity) return 'other target'
  if (isNullable(stored) === isNullable(wanted)) return 'same'
  return isNullable(wanted) ? 'made optional' : 'made required'
}

/** A number that is given at a state does not exist before it. */
const isNullable = (field: StoredField): boolean => field.optional === true || field.at !== undefined
