// What PostgreSQL sends, as values of our wire: numeric, date and uuid stay text, timestamps become ISO 8601.
// Nothing becomes a Date or a float that was not one: both lose what the text says.
import pg from 'pg'

type Parse = (text: string) => unknown

const asText: Parse = (text) => text
const asNumber: Parse = (text) => {
  const value = Number(text)
  // JSON has no NaN and no infinity.
  return Number.isFinite(value) ? value : text
}
const asSafeNumber: Parse = (text) => {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}

/** '2026-11-21 01:16:05.6+00' (the session's time zone is UTC) -> '2026-11-21T01:16:05.600Z' */
export function isoTimestamp(text: string): string {
  if (text.charCodeAt(10) !== 32 || !text.endsWith('+00')) return text
  const fraction = text.slice(20, -3)
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${fraction.slice(0, 3).padEnd(3, '0')}Z`
}

/** pg's parser for an array type; its own for numeric and date arrays would make floats and Dates. */
const arrayOf = (oid: number): Parse => pg.types.getTypeParser(oid, 'text')
const textArray = arrayOf(1009)

const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [16, (text) => text === 't'],
  [20, asSafeNumber],
  [21, Number],
  [23, Number],
  [26, Number],
  [114, JSON.parse],
  [3802, JSON.parse],
  [700, asNumber],
  [701, asNumber],
  [1184, isoTimestamp],
  // boolean, smallint and integer arrays
  ...[1000, 1005, 1007].map((oid): [number, Parse] => [oid, arrayOf(oid)]),
  // text, varchar, numeric, date and uuid arrays
  ...[1009, 1015, 1231, 1182, 2951].map((oid): [number, Parse] => [oid, textArray]),
])

/** For `types` of a pg client. */
export const wireTypes = {
  getTypeParser: (oid: number): Parse => parsers.get(oid) ?? asText,
}
