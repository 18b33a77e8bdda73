// What `format` says in a schema of the kernel: no more than PostgreSQL and Date both take. The formats of JSON Schema go
// further, with urn:uuid: before an id, the year 0, a 60th second and offsets of 23 hours.
import { isDate } from '../../data/field-kinds/date.ts'
import { isId } from '../../data/field-kinds/ref.ts'

const moment = /^(\d{4}-\d{2}-\d{2})[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:[Zz]|[+-](\d{2}):?\d{2})$/
/** Hours. */
const largestOffset = 15

export function isMoment(text: string): boolean {
  const [, day = '', offset = '0'] = moment.exec(text) ?? []
  if (!isDate(day) || Number(offset) > largestOffset) return false
  // In UTC it may be another year; NaN is in none.
  const year = new Date(text).getUTCFullYear()
  return year >= 1 && year <= 9999
}

/** By their names, in place of those of JSON Schema. */
export const storableFormats = { uuid: isId, date: isDate, 'date-time': isMoment } as const
