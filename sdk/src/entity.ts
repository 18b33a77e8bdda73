// A business record type. From it the kernel derives table, HTTP API, permissions, audit and screens.

import type { Fields, In, Out } from './fields/field.ts'
import type { SequenceField } from './fields/sequence.ts'
import type { StateField } from './fields/state.ts'
import type { Id } from './fields/values.ts'

export interface Entity<F extends Fields> {
  readonly title: string
  readonly fields: F
  readonly path?: string
  readonly indexes: readonly (readonly string[])[]
  readonly immutableIn: readonly string[]
  readonly scope?: { readonly unit: string }
}

export interface EntityOptions<F extends Fields> {
  /** The plural in the URL, when it is not the regular one: `people` instead of `persons`. */
  readonly path?: string
  /** Lists that are filtered or sorted by these fields stay fast: `[['date'], ['account', 'date']]`. */
  readonly indexes?: readonly (readonly (keyof F & string)[])[]
  /** In these states nobody can change or delete the record any more, its own plugin included. */
  readonly immutableIn?: readonly StateOf<F>[]
  /**
   * The field that says to which organisation unit a record belongs: `{ unit: 'costCentre' }`. Rules of roles can then
   * speak of "my unit and below". A reference, to a unit of the plugin `organisation` as a rule.
   */
  readonly scope?: { readonly unit: keyof F & string }
}

/** The states of an entity's state field; `never` when it has none. */
export type StateOf<F> = { [K in keyof F]: F[K] extends StateField<infer S> ? S : never }[keyof F]

/** A stored record as a handler reads it. */
export type Row<E, K extends string = string> =
  E extends Entity<infer F>
    ? Out<F> & {
        readonly id: Id<K>
        /** Grows with each change; `If-Match` compares it. */
        readonly version: number
        readonly createdAt: string
        readonly createdBy: string
        readonly updatedAt: string
        readonly updatedBy: string
      }
    : never

type KeysOf<F, Kind> = { [K in keyof F]: F[K] extends Kind ? K : never }[keyof F]

/** What creating a record takes. Its state is the first one and its numbers are the kernel's: neither can be given. */
export type NewRow<E> =
  E extends Entity<infer F> ? In<Omit<F, KeysOf<F, SequenceField<boolean> | StateField<string>>>> : never

/** What a change of a record takes: any of its fields but the kernel's numbers. */
export type Changes<E> =
  E extends Entity<infer F> ? Partial<In<Omit<F, KeysOf<F, SequenceField<boolean>>>>> : never

/** The record as it would be after the write, as a `validate` hook sees it: before its creation it has no id. */
export type Candidate<E, K extends string = string> =
  E extends Entity<infer F> ? Out<F> & { readonly id?: Id<K>; readonly version?: number } : never

/**
 * Declares a record type.
 *
 * ```ts
 * const account = entity('Account', { code: t.text().range(1, 20).unique(), name: t.text() })
 * ```
 */
export const entity = <F extends Fields>(
  title: string,
  fields: F,
  options: EntityOptions<F> = {},
): Entity<F> => ({
  title,
  fields,
  ...(options.path === undefined ? {} : { path: options.path }),
  indexes: options.indexes ?? [],
  immutableIn: options.immutableIn ?? [],
  ...(options.scope === undefined ? {} : { scope: { unit: options.scope.unit } }),
})
