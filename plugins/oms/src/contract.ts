// What other plugins may import: `use<Oms>('^0.1')`. Types alone; no code of this plugin runs elsewhere.

import type { CivilDate, Id, Money } from '@plinth/sdk'

/** A line of an order as it was sold: nothing about it changes any more. */
export interface SoldLine {
  readonly item: Id<'oms.item'>
  readonly sku: string
  readonly name: string
  readonly quantity: string
  readonly price: Money
  /** Quantity times price, to the decimals of the currency. */
  readonly amount: Money
}

export type Oms = {
  events: {
    /** Its goods are reserved and its prices are fixed. */
    'order.confirmed': {
      readonly order: Id<'oms.order'>
      readonly customer: string
      readonly total: Money
    }
    /** The goods have left and their cost is in the books: all that an invoice needs. */
    'order.shipped': {
      readonly order: Id<'oms.order'>
      readonly number: string
      readonly customer: string
      readonly date: CivilDate
      readonly lines: readonly SoldLine[]
      readonly total: Money
    }
    /** What was reserved for it is free again. A draft that is cancelled has no number. */
    'order.cancelled': { readonly order: Id<'oms.order'>; readonly number?: string | undefined }
  }
}
