// Exact decimal numbers: quantities, rates. Strings, because a binary float cannot hold 0.1.
import { type Field, field } from './field.ts'

/** An exact decimal number as text, such as `'1.25'`; calculate with `addDecimals` and its family. */
export const decimal = (): Field<string> => field({ kind: 'decimal' })
