// The id of another record. Whether it exists is known by the database, in the same statement that writes it.
import { type FieldKind, oneColumn, refuse } from './field-kind.ts'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const isId = (value: unknown): value is string => typeof value === 'string' && uuid.test(value)

export const ref: FieldKind = {
  ...oneColumn,
  parse: (value, { entity = 'record' }, place) =>
    isId(value)
      ? value.toLowerCase()
      : refuse(place, 'ID_INVALID', `must be the id of a record of '${entity}', a UUID.`),
  jsonSchema: ({ entity = 'record' }) => ({ type: 'string', format: 'uuid', description: `Id: ${entity}` }),
}
