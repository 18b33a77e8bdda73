// Calendar arithmetic on civil dates: pure integers in the proleptic Gregorian calendar. No Date and no Intl, so it
// gives the same answer in every time zone and in an isolate that has neither.

import type { CivilDate } from './fields/values.ts'

interface Parts {
  readonly year: number
  readonly month: number
  readonly day: number
}

/** Whether `value` is a day that exists, years 0001 to 9999: `2024-02-29` is one and `2026-02-29` is not. */
export function isCivilDate(value: unknown): value is CivilDate {
  return typeof value === 'string' && partsOf(value) !== undefined
}

/** The day `days` later, or earlier when negative: `addDays('2024-02-28', 2)` is `2024-03-01`. */
export const addDays = (date: CivilDate, days: number): CivilDate =>
  dateOf(dayNumber(parse(date)) + whole(days))

/**
 * The same day `months` later, or the last one of a shorter month: `addMonths('2026-01-31', 1)` is `2026-02-28`. For a
 * series count from the first date each time, or the 31st becomes the 28th for good.
 */
export function addMonths(date: CivilDate, months: number): CivilDate {
  const { year, month, day } = parse(date)
  const index = year * 12 + (month - 1) + whole(months)
  const then = { year: Math.floor(index / 12), month: (((index % 12) + 12) % 12) + 1 }
  return format({ ...then, day: Math.min(day, daysInMonth(then.year, then.month)) })
}

/** Days from `from` to `to`, negative when `to` is earlier: `daysBetween('2026-01-01', '2026-03-01')` is 59. */
export const daysBetween = (from: CivilDate, to: CivilDate): number =>
  dayNumber(parse(to)) - dayNumber(parse(from))

/** Below zero, zero or above, as `a` is before, on or after `b`. */
export const compareDates = (a: CivilDate, b: CivilDate): number => daysBetween(b, a)

/** The first day of the month that `date` lies in. */
export const startOfMonth = (date: CivilDate): CivilDate => format({ ...parse(date), day: 1 })

/** The last day of the month that `date` lies in. */
export function endOfMonth(date: CivilDate): CivilDate {
  const parts = parse(date)
  return format({ ...parts, day: daysInMonth(parts.year, parts.month) })
}

/** The day of the week, 1 for Monday to 7 for Sunday. */
export const weekday = (date: CivilDate): number => ((dayNumber(parse(date)) + 2) % 7) + 1

/** The ISO week and the year it counts in: `isoWeek('2027-01-03')` is week 53 of 2026. */
export function isoWeek(date: CivilDate): { readonly year: number; readonly week: number } {
  // A week belongs to the year of its Thursday.
  const thursday = parse(addDays(date, 4 - weekday(date)))
  const week = Math.floor((dayNumber(thursday) - dayNumber({ ...thursday, month: 1, day: 1 })) / 7) + 1
  return { year: thursday.year, week }
}

/** A month of a fiscal year, which is named after the calendar year it starts in. */
export interface FiscalPeriod {
  readonly year: number
  /** 1 to 12. */
  readonly period: number
  /** First and last day of the fiscal year. */
  readonly from: CivilDate
  readonly to: CivilDate
}

/** Where `date` lies in years that start with `firstMonth`: `fiscalPeriod('2026-03-31', 4)` is period 12 of 2025. */
export function fiscalPeriod(date: CivilDate, firstMonth: number): FiscalPeriod {
  if (!Number.isInteger(firstMonth) || firstMonth < 1 || firstMonth > 12)
    throw new RangeError(`${firstMonth} is not a month, 1 to 12.`)
  const { year, month } = parse(date)
  const period = ((month - firstMonth + 12) % 12) + 1
  const first = startOfMonth(addMonths(date, 1 - period))
  return {
    year: month < firstMonth ? year - 1 : year,
    period,
    from: first,
    to: endOfMonth(addMonths(first, 11)),
  }
}

const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

const daysInMonth = (year: number, month: number) => {
  if (month === 2) return isLeap(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function partsOf(text: string): Parts | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined
  const year = Number(text.slice(0, 4))
  const month = Number(text.slice(5, 7))
  const day = Number(text.slice(8))
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  return { year, month, day }
}

function parse(date: CivilDate): Parts {
  const parts = partsOf(date)
  if (!parts) throw new RangeError(`'${date}' is not a date: give a day that exists, as YYYY-MM-DD.`)
  return parts
}

function format({ year, month, day }: Parts): CivilDate {
  if (year < 1 || year > 9999)
    throw new RangeError(`A date in the year ${year} cannot be written as YYYY-MM-DD.`)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

function whole(count: number): number {
  if (!Number.isSafeInteger(count)) throw new RangeError(`${count} is not a whole number of days or months.`)
  return count
}

// Days since 0000-03-01, counting years from March so that the leap day is the last of its year (H. Hinnant,
// "chrono-compatible low-level date algorithms").
function dayNumber({ year, month, day }: Parts): number {
  const y = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear
}

function dateOf(days: number): CivilDate {
  const era = Math.floor(days / 146097)
  const dayOfEra = days - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return format({ year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day })
}
