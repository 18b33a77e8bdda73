// A plugin's migrations are data: these operations. They hold what storage depends on and nothing else, so that a
// new title or a wider range is no migration.
import type { FieldSpec, Json } from '@plinth/sdk'

/** The part of a field's spec that decides how it is stored; `default` and `initial` fill the rows already there. */
export type StoredField = Pick<
  FieldSpec,
  'kind' | 'optional' | 'unique' | 'entity' | 'at' | 'default' | 'initial'
> & { readonly fields?: StoredFields; readonly retired?: Origin }

export type StoredFields = Readonly<Record<string, StoredField>>

export interface StoredEntity {
  readonly fields: StoredFields
  readonly indexes: readonly (readonly string[])[]
  /** No longer in the manifest; the table stays until a later release drops it. */
  readonly retired?: Origin
  readonly retiredIndexes?: readonly RetiredIndex[]
  /** A backfill has run over it: a field may be made required. */
  readonly filled?: true
}

export interface RetiredIndex {
  readonly fields: readonly string[]
  readonly retired: Origin
}

/** Which migration did it, and for which release of the plugin it was written. */
export interface Origin {
  readonly migration: string
  readonly release: string
}

/** `lines`: the field is one of the lines in that field. */
export interface FieldPlace {
  readonly entity: string
  readonly lines?: string
  readonly field: string
}

export type EntityOperation =
  | { readonly op: 'createEntity'; readonly entity: string; readonly spec: StoredEntity }
  | { readonly op: 'renameEntity'; readonly entity: string; readonly to: string }
  | { readonly op: 'retireEntity'; readonly entity: string }
  | { readonly op: 'restoreEntity'; readonly entity: string }
  | { readonly op: 'dropEntity'; readonly entity: string }

export type FieldOperation = FieldPlace &
  (
    | { readonly op: 'addField'; readonly spec: StoredField }
    | { readonly op: 'renameField'; readonly to: string }
    | { readonly op: 'retireField' | 'restoreField' | 'dropField' }
    | { readonly op: 'makeOptional' | 'makeRequired' | 'addUnique' | 'dropUnique' }
    /** Records without a value get this one. */
    | { readonly op: 'fillField'; readonly value: Json }
  )

export interface IndexOperation {
  readonly op: 'addIndex' | 'retireIndex' | 'restoreIndex' | 'dropIndex'
  readonly entity: string
  readonly fields: readonly string[]
}

/** One UPDATE, run for each tenant by itself. */
export interface BackfillOperation {
  readonly op: 'backfill'
  readonly entity: string
  readonly sql: string
}

export type Operation = EntityOperation | FieldOperation | IndexOperation | BackfillOperation

/** One file of a plugin's `migrations/`. */
export interface PluginMigration {
  /** `0001-first`: migrations run in the order of their names. */
  readonly name: string
  /** The version of the package it was written for. What one release retires, a later one may drop. */
  readonly release?: string
  readonly operations: readonly Operation[]
}

export function storedField(spec: FieldSpec): StoredField {
  return {
    kind: spec.kind,
    ...(spec.optional && { optional: spec.optional }),
    ...(spec.unique && { unique: spec.unique }),
    ...(spec.kind === 'ref' && spec.entity !== undefined && { entity: spec.entity }),
    ...(spec.kind === 'sequence' && spec.at !== undefined && { at: spec.at }),
    ...(spec.default !== undefined && { default: spec.default }),
    ...(spec.kind === 'state' && spec.initial !== undefined && { initial: spec.initial }),
    ...(spec.fields && { fields: storedFields(spec.fields) }),
  }
}

export const storedFields = (fields: Readonly<Record<string, FieldSpec>>): StoredFields =>
  Object.fromEntries(Object.entries(fields).map(([name, spec]) => [name, storedField(spec)]))

export const placeName = (place: FieldPlace): string =>
  [place.entity, ...(place.lines === undefined ? [] : [place.lines]), place.field].join('.')

/** As a person would say it: `renameField 'account.code'`. */
export function describeOperation(operation: Operation): string {
  if ('fields' in operation) {
    return `${operation.op} on ${operation.entity} (${operation.fields.join(', ')})`
  }
  const name = 'field' in operation ? placeName(operation) : operation.entity
  return `${operation.op} '${name}'`
}
