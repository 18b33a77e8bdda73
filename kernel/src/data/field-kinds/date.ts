// A day of the calendar, without a time and without a time zone.
import { type FieldKind, oneColumn, refuse } from './field-kind.ts'

const form = /^(\d{4})-(\d{2})-(\d{2})$/
const daysIn = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export function isDate(value: string): boolean {
  const match = form.exec(value)
  if (!match) return false
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number)
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = month === 2 && leap ? 29 : (daysIn[month - 1] ?? 0)
  return year >= 1 && day >= 1 && day <= days
}

export const date: FieldKind = {
  ...oneColumn,
  parse: (value, _spec, place) =>
    typeof value === 'string' && isDate(value)
      ? value
      : refuse(place, 'DATE_INVALID', 'must be a date of the calendar, such as "2026-02-28".'),
  jsonSchema: () => ({ type: 'string', format: 'date' }),
}
