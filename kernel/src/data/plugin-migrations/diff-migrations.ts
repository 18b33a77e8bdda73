// What is missing between the tables that are there and those a manifest wants: operations that only add, or the
// reason why there are none. Nothing here loses a value or breaks a version of the plugin that is still running.
import type { Manifest } from '@plinth/sdk'
import { columnDefaults } from './column-defaults.ts'
import type { Operation, StoredField, StoredFields } from './operations.ts'
import {
  fieldChange,
  linesOf,
  nameCollisions,
  own,
  type StorageShape,
  storageShape,
} from './storage-shape.ts'

export interface MigrationDiff {
  readonly operations: readonly Operation[]
  /** Why the manifest cannot be reached. When there is one, the operations are not to be run. */
  readonly refusals: readonly string[]
}

export function diffMigrations(shape: StorageShape, manifest: Manifest): MigrationDiff {
  const wanted = storageShape(manifest)
  const operations: Operation[] = []
  const refusals = nameCollisions(wanted)
  for (const entity of Object.keys(shape)) {
    if (own(wanted, entity)) continue
    refusals.push(
      `Entity '${entity}' is gone from the manifest: dropping or renaming an entity would lose its records.`,
    )
  }
  for (const [entity, spec] of Object.entries(wanted)) {
    const stored = own(shape, entity)
    if (!stored) {
      operations.push({ op: 'createEntity', entity, spec })
      continue
    }
    const place = { entity }
    diffFields(place, stored.fields, spec.fields, operations, refusals)
    for (const [lines, fields] of linesOf(spec.fields)) {
      const before = own(stored.fields, lines)
      if (before?.kind !== 'lines') continue
      diffFields({ entity, lines }, before.fields ?? {}, fields, operations, refusals)
    }
    diffIndexes(entity, stored.indexes, spec.indexes, operations, refusals)
  }
  return { operations, refusals }
}

interface Place {
  readonly entity: string
  readonly lines?: string
}

const nameOf = (place: Place, field: string): string =>
  [place.entity, ...(place.lines === undefined ? [] : [place.lines]), field].join('.')

function diffFields(
  place: Place,
  stored: StoredFields,
  wanted: StoredFields,
  operations: Operation[],
  refusals: string[],
): void {
  for (const field of Object.keys(stored)) {
    if (own(wanted, field)) continue
    const name = nameOf(place, field)
    refusals.push(
      `Field '${name}' is gone from the manifest: dropping or renaming it would lose its values. Keep it, optional.`,
    )
  }
  for (const [field, spec] of Object.entries(wanted)) {
    const before = own(stored, field)
    const name = nameOf(place, field)
    if (before) {
      const change = fieldChange(before, spec)
      if (change === 'made optional') operations.push({ op: 'makeOptional', ...place, field })
      else if (change !== 'same') refusals.push(refusalOf(name, change, before, spec))
    } else if (columnDefaults(field, spec) === undefined) {
      refusals.push(
        `Field '${name}' is new and required, and the records already there have no value for it: make it optional or give it a default.`,
      )
    } else {
      operations.push({ op: 'addField', ...place, field, spec })
    }
  }
}

function refusalOf(
  name: string,
  change: 'made required' | 'other kind' | 'other target' | 'unique',
  before: StoredField,
  spec: StoredField,
): string {
  switch (change) {
    case 'other kind':
      return `Field '${name}' was ${before.kind} and is now ${spec.kind}: its values would have to be converted. Add a new field instead.`
    case 'other target':
      return `Field '${name}' referred to '${before.entity}' and now to '${spec.entity}': the stored ids would point at nothing. Add a new field instead.`
    case 'made required':
      return `Field '${name}' is now required: records already there may have no value for it. Keep it optional and check it in a hook.`
    case 'unique':
      return before.unique
        ? `Field '${name}' is no longer unique: what relies on it being so must be changed first. Keep it unique, or add a new field.`
        : `Field '${name}' is now unique: records already there may have the same value. Add a new field instead.`
  }
}

function diffIndexes(
  entity: string,
  stored: readonly (readonly string[])[],
  wanted: readonly (readonly string[])[],
  operations: Operation[],
  refusals: string[],
): void {
  const has = (indexes: readonly (readonly string[])[], index: readonly string[]) =>
    indexes.some((other) => other.join() === index.join())
  for (const fields of wanted) if (!has(stored, fields)) operations.push({ op: 'addIndex', entity, fields })
  for (const fields of stored) {
    if (!has(wanted, fields))
      refusals.push(
        `The index of '${entity}' on ${fields.join(', ')} is gone from the manifest: dropping an index is not possible yet. Keep it.`,
      )
  }
}
