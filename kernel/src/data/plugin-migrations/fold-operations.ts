// What the tables are after an operation, and which operation may follow what came before. The rules that keep data
// safe live here, so that they hold for a migration somebody wrote by hand as well.
import semver from 'semver'
import {
  describeOperation,
  type FieldOperation,
  type FieldPlace,
  type IndexOperation,
  type Operation,
  type Origin,
  type PluginMigration,
  placeName,
  type StoredEntity,
  type StoredField,
  type StoredFields,
} from './operations.ts'
import { own, type StorageShape } from './storage-shape.ts'

const beforeAllReleases = '0.0.0'

export const originOf = ({ name, release }: Omit<PluginMigration, 'operations'>): Origin => ({
  migration: name,
  release: release ?? beforeAllReleases,
})

/** The shape after all migrations. Throws a sentence when an operation cannot follow those before it. */
export function foldMigrations(migrations: readonly PluginMigration[]): StorageShape {
  let shape: StorageShape = {}
  for (const migration of migrations) {
    const origin = originOf(migration)
    for (const operation of migration.operations) shape = foldOperation(shape, operation, origin)
  }
  return shape
}

export function foldOperation(shape: StorageShape, operation: Operation, origin: Origin): StorageShape {
  const entity = own(shape, operation.entity)
  if (operation.op === 'createEntity') {
    if (entity) throw new Error(`Entity '${operation.entity}' is created twice.`)
    return { ...shape, [operation.entity]: operation.spec }
  }
  if (!entity) throw new Error(`There is no entity '${operation.entity}' to change (${operation.op}).`)
  if (operation.op === 'dropEntity') return dropEntity(shape, operation.entity, entity, origin)
  const put = (changed: StoredEntity): StorageShape => ({ ...shape, [operation.entity]: changed })
  if (operation.op === 'restoreEntity') {
    if (!entity.retired) throw new Error(`Entity '${operation.entity}' was not retired.`)
    const { retired: _, ...live } = entity
    return put(live)
  }
  if (entity.retired) throw new Error(`Entity '${operation.entity}' was retired (${operation.op}).`)
  switch (operation.op) {
    case 'renameEntity':
      return renameEntity(shape, operation.entity, operation.to)
    case 'retireEntity':
      refuseReferences(shape, operation.entity)
      return put({ ...entity, retired: origin })
    case 'backfill':
      return put({ ...entity, filled: true })
    case 'addIndex':
    case 'retireIndex':
    case 'restoreIndex':
    case 'dropIndex':
      return put(changedIndexes(entity, operation, origin))
    default:
      return put(changedEntity(entity, operation, origin))
  }
}

function renameEntity(shape: StorageShape, from: string, to: string): StorageShape {
  if (own(shape, to))
    throw new Error(`Entity '${from}' cannot be renamed: there is an entity '${to}' already.`)
  const pointed = (spec: StoredField): StoredField => ({
    ...spec,
    ...(spec.entity === from && { entity: to }),
    ...(spec.fields && { fields: mapFields(spec.fields, pointed) }),
  })
  return Object.fromEntries(
    Object.entries(shape).map(([name, entity]) => [
      name === from ? to : name,
      { ...entity, fields: mapFields(entity.fields, pointed) },
    ]),
  )
}

const mapFields = (fields: StoredFields, map: (spec: StoredField) => StoredField): StoredFields =>
  Object.fromEntries(Object.entries(fields).map(([name, spec]) => [name, map(spec)]))

function dropEntity(shape: StorageShape, name: string, entity: StoredEntity, origin: Origin): StorageShape {
  mayDrop(`Entity '${name}'`, `--drop ${name}`, entity.retired, origin)
  refuseReferences(shape, name)
  return Object.fromEntries(Object.entries(shape).filter(([other]) => other !== name))
}

/** What is retired itself may go on pointing there: it goes no later than its target. */
function refuseReferences(shape: StorageShape, target: string): void {
  for (const [name, entity] of Object.entries(shape)) {
    if (name === target || entity.retired) continue
    for (const [field, spec] of Object.entries(entity.fields)) {
      const all = spec.kind === 'lines' ? Object.values(spec.fields ?? {}) : [spec]
      if (!spec.retired && all.some((one) => one.entity === target && !one.retired))
        throw new Error(`Entity '${target}' is still referred to by '${name}.${field}'.`)
    }
  }
}

/** Dropping loses data for good: only what an earlier release has already stopped using. */
function mayDrop(what: string, flag: string, retired: Origin | undefined, here: Origin): void {
  if (!retired) {
    throw new Error(
      `${what} is in use and cannot be dropped. Retire it first (plinth migrate ${flag}), release that, and drop it in a later release (plinth migrate --contract).`,
    )
  }
  if (semver.gt(here.release, retired.release)) return
  throw new Error(
    `${what} was retired by '${retired.migration}' of release ${retired.release} and cannot be dropped in release ${here.release}: the version before still uses it. Raise the version in package.json and drop it then (plinth migrate --contract).`,
  )
}

const sameList = (one: readonly string[], other: readonly string[]): boolean => one.join() === other.join()

function changedIndexes(entity: StoredEntity, operation: IndexOperation, origin: Origin): StoredEntity {
  const { fields } = operation
  const retired = entity.retiredIndexes ?? []
  const was = retired.find((index) => sameList(index.fields, fields))
  const isLive = entity.indexes.some((index) => sameList(index, fields))
  const name = `The index of '${operation.entity}' on ${fields.join(', ')}`
  const rest = retired.filter((index) => index !== was)
  switch (operation.op) {
    case 'addIndex':
      if (isLive || was) throw new Error(`${name} is added twice.`)
      return { ...entity, indexes: [...entity.indexes, fields] }
    case 'retireIndex':
      if (!isLive) throw new Error(`${name} is not there to be retired.`)
      return {
        ...entity,
        indexes: entity.indexes.filter((index) => !sameList(index, fields)),
        retiredIndexes: [...retired, { fields, retired: origin }],
      }
    case 'restoreIndex':
      if (!was) throw new Error(`${name} was not retired.`)
      return { ...entity, indexes: [...entity.indexes, fields], retiredIndexes: rest }
    case 'dropIndex':
      mayDrop(name, 'after taking it from the manifest', was?.retired, origin)
      return { ...entity, retiredIndexes: rest }
  }
}

function changedEntity(entity: StoredEntity, change: FieldOperation, origin: Origin): StoredEntity {
  if (change.lines !== undefined) {
    const lines = own(entity.fields, change.lines)
    if (lines?.kind !== 'lines' || lines.retired)
      throw new Error(`${change.entity}.${change.lines} are no lines.`)
    const fields = changedFields(lines.fields ?? {}, change, entity, origin)
    const filled = change.op === 'fillField' && { filled: true as const }
    return { ...entity, ...filled, fields: { ...entity.fields, [change.lines]: { ...lines, fields } } }
  }
  const fields = changedFields(entity.fields, change, entity, origin)
  const uses = (index: readonly string[]) => index.includes(change.field)
  switch (change.op) {
    case 'fillField':
      return { ...entity, filled: true }
    case 'retireField':
      if (entity.indexes.some(uses))
        throw new Error(`Field '${placeName(change)}' is in an index, which must be retired before it.`)
      return { ...entity, fields }
    case 'dropField':
      // PostgreSQL drops an index with a column of it.
      return {
        ...entity,
        fields,
        retiredIndexes: (entity.retiredIndexes ?? []).filter((i) => !uses(i.fields)),
      }
    case 'renameField': {
      const renamed = (index: readonly string[]) => index.map((n) => (n === change.field ? change.to : n))
      return {
        ...entity,
        fields,
        indexes: entity.indexes.map(renamed),
        retiredIndexes: (entity.retiredIndexes ?? []).map((i) => ({ ...i, fields: renamed(i.fields) })),
      }
    }
    default:
      return { ...entity, fields }
  }
}

function changedFields(
  fields: StoredFields,
  change: FieldOperation,
  entity: StoredEntity,
  origin: Origin,
): StoredFields {
  const field = own(fields, change.field)
  const name = placeName(change)
  if (change.op === 'addField') {
    if (field) throw new Error(`Field '${name}' is added twice.`)
    return { ...fields, [change.field]: change.spec }
  }
  if (!field) throw new Error(`There is no field '${name}' to change (${change.op}).`)
  const without = Object.fromEntries(Object.entries(fields).filter(([other]) => other !== change.field))
  const put = (spec: StoredField): StoredFields => ({ ...fields, [change.field]: spec })
  if (change.op === 'dropField') {
    mayDrop(`Field '${name}'`, `--drop ${name}`, field.retired, origin)
    return without
  }
  if (change.op === 'restoreField') return put(restored(field, name))
  if (field.retired) throw new Error(`Field '${name}' was retired (${change.op}).`)
  switch (change.op) {
    case 'renameField':
      if (own(fields, change.to))
        throw new Error(`Field '${name}' cannot be renamed: there is a field '${change.to}' already.`)
      return Object.fromEntries(
        Object.entries(fields).map(([other, spec]) => [other === change.field ? change.to : other, spec]),
      )
    case 'retireField':
      return put({ ...field, retired: origin })
    case 'makeOptional':
      return put({ ...field, optional: true })
    case 'makeRequired':
      return put(required(field, change, entity))
    case 'addUnique':
      if (field.unique || field.kind === 'lines') throw new Error(`Field '${name}' cannot be made unique.`)
      return put({ ...field, unique: true })
    case 'dropUnique': {
      const { unique, ...rest } = field
      if (!unique) throw new Error(`Field '${name}' is not unique.`)
      return put(rest)
    }
    case 'fillField':
      if (field.kind === 'lines' || field.kind === 'sequence')
        throw new Error(`Field '${name}' cannot be filled with one value (${describeOperation(change)}).`)
      return fields
  }
}

/** While it was retired, records were written without it. */
function restored(field: StoredField, name: string): StoredField {
  const { retired, ...live } = field
  if (!retired) throw new Error(`Field '${name}' was not retired.`)
  if (field.kind === 'lines') return live
  if (field.kind === 'state' || field.kind === 'sequence')
    throw new Error(`Field '${name}' cannot be restored: records written meanwhile have none.`)
  return { ...live, optional: true }
}

function required(field: StoredField, place: FieldPlace, entity: StoredEntity): StoredField {
  const { optional, ...rest } = field
  const name = placeName(place)
  if (!optional || field.kind === 'lines' || field.kind === 'sequence')
    throw new Error(`Field '${name}' is not one that can be made required.`)
  if (!entity.filled) {
    throw new Error(
      `Field '${name}' is made required, and nothing before it gives a value to the records that have none: put a backfill or a fillField before it.`,
    )
  }
  return rest
}
