// True or false.
import { type FieldKind, oneColumn, refuse } from './field-kind.ts'

export const bool: FieldKind = {
  ...oneColumn,
  parse(value, _spec, place) {
    if (typeof value === 'boolean') return value
    if (place.coerce && value === 'true') return true
    if (place.coerce && value === 'false') return false
    return refuse(place, 'WRONG_TYPE', 'must be true or false.')
  },
  jsonSchema: () => ({ type: 'boolean' }),
}
