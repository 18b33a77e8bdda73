// Text: length-bounded, always. Empty text is refused for a required field by `range(1, ...)`.
import { type RangedField, rangedField } from './field.ts'

/** Text of up to 4,000 characters; `t.text().range(1, 200)` sets both bounds. */
export const text = (): RangedField<string> => rangedField({ kind: 'text', max: 4000 })
