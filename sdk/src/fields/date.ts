// A day without time or zone.
import { type Field, field } from './field.ts'
import type { CivilDate } from './values.ts'

/** A day, `2026-03-31`; never shifted by a time zone. Calculate with `addDays`, `addMonths`, `daysBetween`. */
export const date = (): Field<CivilDate> => field({ kind: 'date' })
