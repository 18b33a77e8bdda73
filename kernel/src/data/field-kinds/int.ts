// A whole number, within PostgreSQL's integer.
import { type FieldKind, oneColumn, refuse } from './field-kind.ts'

const least = -2_147_483_648
const greatest = 2_147_483_647

export const int: FieldKind = {
  ...oneColumn,
  parse(value, { min = least, max = greatest }, place) {
    const number =
      place.coerce && typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number)) {
      return refuse(place, 'WRONG_TYPE', 'must be a whole number.')
    }
    if (number < min) return refuse(place, 'TOO_SMALL', `must be at least ${min}.`)
    if (number > max) return refuse(place, 'TOO_LARGE', `must be at most ${max}.`)
    // -0 would be stored as 0 and so come back different.
    return number === 0 ? 0 : number
  },
  jsonSchema: ({ min = least, max = greatest }) => ({ type: 'integer', minimum: min, maximum: max }),
}
