// The values that fields hold and that are more than a string: an id, a civil date, money.

/**
 * The id of a record of entity `E`: a UUID. Ids of different entities do not mix: an account's id where an invoice's
 * is wanted does not compile.
 */
export type Id<E extends string = string> = string & { readonly __entity?: E }

/** A day without time or zone, `2026-03-31`. */
export type CivilDate = string & { readonly __civil?: true }

/** An exact amount. `amount` has the decimals of the currency: `{ amount: '12.50', currency: 'USD' }`, `{ amount: '12', currency: 'JPY' }`. */
export interface Money {
  readonly amount: string
  readonly currency: string
}
