// An amount with its currency.
import { type Field, field } from './field.ts'
import type { Money } from './values.ts'

/** Money. More decimals than the currency has are refused, never rounded. Calculate with `addMoney` and its family. */
export const money = (): Field<Money> => field({ kind: 'money' })
