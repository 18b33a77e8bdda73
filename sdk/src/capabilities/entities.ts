// Capability: the tenant's records of this plugin's entities. Every call is scoped to tenant and actor by the kernel.

import type { Candidate, Changes, NewRow, Row } from '../entity.ts'
import type { Id } from '../fields/values.ts'

/** Filters by a field: a value, or bounds. `before` and `after` exclude the value itself. */
export type Comparison<T> =
  | T
  | {
      readonly before?: NonNullable<T>
      readonly after?: NonNullable<T>
      readonly in?: readonly NonNullable<T>[]
      readonly not?: NonNullable<T>
    }
/** Conditions that must all hold. */
export type Where<R> = { readonly [K in keyof R]?: Comparison<R[K]> }
/** A field to sort by, or with a minus the other way round: `'date'`, `'-date'`. */
export type Sort<R> = (keyof R & string) | `-${keyof R & string}`
/** A field that was filtered by has a value, so it is no longer optional in what comes back. */
export type Filtered<R, W> = R & { readonly [C in keyof W & keyof R]: NonNullable<R[C]> }

export interface Page<R> {
  readonly items: readonly R[]
  /** Given back as `cursor`, continues after the last item; absent on the last page. */
  readonly cursor?: string
}

/** The records of one entity. */
export interface Repository<E, K extends string> {
  /** The record. A missing one (or another tenant's) rejects with the code `RECORD_NOT_FOUND`; uncaught, the caller gets that 404. */
  get(id: Id<K>): Promise<Row<E, K>>
  /** As `get`, and nobody else can change the record before this invocation ends. */
  lock(id: Id<K>): Promise<Row<E, K>>
  /** One page: 50 records unless `limit` says otherwise, 200 at most. */
  list<const W extends Where<Row<E, K>>>(
    where?: W,
    options?: { readonly sort?: Sort<Row<E, K>>; readonly limit?: number; readonly cursor?: string },
  ): Promise<Page<Filtered<Row<E, K>, W>>>
  /** All matching records, fetched in batches while they are read. */
  each<const W extends Where<Row<E, K>>>(
    where?: W,
    options?: { readonly sort?: Sort<Row<E, K>> },
  ): AsyncIterable<Filtered<Row<E, K>, W>>
  create(values: NewRow<E>): Promise<Row<E, K>>
  /** May also move the state field, along a declared transition. */
  update(id: Id<K>, changes: Changes<E>): Promise<Row<E, K>>
  delete(id: Id<K>): Promise<void>
}

export interface EntitiesCapability<E> {
  /** The plugin's own records. Another plugin's are reached through its services alone. */
  readonly entities: { readonly [K in keyof E & string]: Repository<E[K], K> }
}

/** Code that the kernel runs before a record of the entity is created or updated, whoever does it. */
export interface EntityHooks<Ctx, E, K extends string> {
  /** Sees the record as it would be stored; refuses it with `fail`. */
  validate?(ctx: Ctx, record: Candidate<E, K>): void | Promise<void>
}
