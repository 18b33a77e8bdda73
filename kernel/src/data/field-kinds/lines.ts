// The rows of a document, in order. They live in a table of their own and are read and written with their record.
import type { Json } from '@plinth/sdk'
import { type FieldKind, refuse } from './field-kind.ts'

const mostLines = 1000

export const lines: FieldKind = {
  parse(value, { fields = {}, min = 0, max = mostLines }, place) {
    if (!Array.isArray(value)) return refuse(place, 'WRONG_TYPE', 'must be a list.')
    if (value.length > max) return refuse(place, 'TOO_MANY_LINES', `must have at most ${max} lines.`)
    if (value.length < min) return refuse(place, 'TOO_FEW_LINES', `must have at least ${min} lines.`)
    const before = place.errors.length
    const parsed: Json[] = value.map((line, at) => place.parseFields(fields, line, `${place.path}.${at}`))
    return place.errors.length > before ? undefined : parsed
  },
  toColumns: () => [],
  fromRow: () => undefined,
  jsonSchema: ({ fields = {}, max = mostLines }, purpose, schemaOf) => ({
    type: 'array',
    items: schemaOf(fields, purpose),
    ...(purpose === 'input' ? { maxItems: max } : {}),
  }),
}
