// Several fields under one name. Exists in inputs and answers only, never in a table.
import type { FieldKind } from './field-kind.ts'

export const object: FieldKind = {
  parse(value, { fields = {} }, place) {
    const before = place.errors.length
    const parsed = place.parseFields(fields, value, place.path)
    return place.errors.length > before ? undefined : parsed
  },
  toColumns: () => [],
  fromRow: () => undefined,
  jsonSchema: ({ fields = {} }, purpose, schemaOf) => schemaOf(fields, purpose),
}
