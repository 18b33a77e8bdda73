// A plugin's migrations are data: these operations. They hold what storage depends on and nothing else, so that a
// new title or a wider range is no migration.
import type { FieldSpec } from '@plinth/sdk'

/** The part of a field's spec that decides how it is stored; `default` and `initial` fill the rows already there. */
export type StoredField = Pick<
  FieldSpec,
  'kind' | 'optional' | 'unique' | 'entity' | 'at' | 'default' | 'initial'
> & { readonly fields?: StoredFields }

export type StoredFields = Readonly<Record<string, StoredField>>

export interface StoredEntity {
  readonly fields: StoredFields
  readonly indexes: readonly (readonly string[])[]
}

export type Operation =
  | { readonly op: 'createEntity'; readonly entity: string; readonly spec: StoredEntity }
  /** `lines`: the field is one of the lines in that field. */
  | {
      readonly op: 'addField'
      readonly entity: string
      readonly lines?: string
      readonly field: string
      readonly spec: StoredField
    }
  /** A required field becomes optional. */
  | { readonly op: 'makeOptional'; readonly entity: string; readonly lines?: string; readonly field: string }
  | { readonly op: 'addIndex'; readonly entity: string; readonly fields: readonly string[] }

/** One file of a plugin's `migrations/`. */
export interface PluginMigration {
  /** `0001-first`: migrations run in the order of their names. */
  readonly name: string
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
