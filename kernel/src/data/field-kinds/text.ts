// A text. Its length counts characters as JSON Schema does, not UTF-16 units.
import { cleanText, type FieldKind, oneColumn, refuse } from './field-kind.ts'

const defaultMax = 4000

export const text: FieldKind = {
  ...oneColumn,
  parse(value, { min = 0, max = defaultMax }, place) {
    const clean = cleanText(value, place)
    if (clean === undefined) return undefined
    if (clean.length > max && lengthOf(clean) > max) {
      return refuse(place, 'TOO_LONG', `must have at most ${max} characters.`)
    }
    if (min > 0 && lengthOf(clean) < min) {
      return refuse(
        place,
        'TOO_SHORT',
        min === 1 ? 'must not be empty.' : `must have at least ${min} characters.`,
      )
    }
    return clean
  },
  jsonSchema: ({ min, max = defaultMax }) => ({
    type: 'string',
    ...(min === undefined ? {} : { minLength: min }),
    maxLength: max,
  }),
}

const lengthOf = (value: string): number => {
  let length = 0
  for (const _ of value) length += 1
  return length
}
