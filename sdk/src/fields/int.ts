// Whole numbers.
import { type RangedField, rangedField } from './field.ts'

/** A whole number; `t.int().range(0, 365)` bounds it. */
export const int = (): RangedField<number> => rangedField({ kind: 'int' })
