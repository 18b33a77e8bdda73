// One of the values that the plugin lists.
import { nearestName } from '../nearest-name.ts'
import { type FieldKind, oneColumn, refuse } from './field-kind.ts'

export const choice: FieldKind = {
  ...oneColumn,
  parse(value, { values = [] }, place) {
    if (typeof value === 'string' && values.includes(value)) return value
    const near = typeof value === 'string' ? nearestName(value, values) : undefined
    const hint = near === undefined ? '' : ` Did you mean '${near}'?`
    return refuse(place, 'NOT_A_CHOICE', `must be one of ${values.join(', ')}.${hint}`)
  },
  jsonSchema: ({ values = [] }) => ({ type: 'string', enum: [...values] }),
}
