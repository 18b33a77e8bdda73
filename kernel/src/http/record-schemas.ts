// JSON Schema of the parameters of record routes, for /openapi.json.
import type { EntitySpec } from '@plinth/sdk'
import { listFields } from '../data/list-fields.ts'

type JsonSchema = Readonly<Record<string, unknown>>

export const idParams: JsonSchema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', format: 'uuid' } },
}

export function listParameters(spec: EntitySpec): JsonSchema {
  const fields = listFields(spec)
  const filters = fields.map(({ field, operators }) => {
    const others = operators
      .filter((operator) => operator !== 'eq')
      .map((operator) => `${field}[${operator}]`)
    return [field, { type: 'string', description: `Equals. Also ${others.join(', ')}.` }]
  })
  const sortable = fields.map(({ field }) => field).join(', ')
  return {
    type: 'object',
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
      cursor: { type: 'string', description: 'From the page before.' },
      sort: { type: 'string', description: `Fields, a minus before one for descending: ${sortable}.` },
      ...Object.fromEntries(filters),
    },
  }
}
