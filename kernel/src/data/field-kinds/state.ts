// Where a record is in its life. Moved by actions along the declared transitions (see entity-states.ts).
import { type FieldKind, oneColumn, refuse } from './field-kind.ts'

export const state: FieldKind = {
  ...oneColumn,
  parse(value, { transitions = {} }, place) {
    const states = Object.keys(transitions)
    if (typeof value === 'string' && states.includes(value)) return value
    return refuse(place, 'NOT_A_CHOICE', `must be one of ${states.join(', ')}.`)
  },
  jsonSchema: ({ transitions = {} }) => ({
    type: 'string',
    enum: Object.keys(transitions),
    readOnly: true,
  }),
}
