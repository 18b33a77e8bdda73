// JSON Schema of the parameters of record routes, for /openapi.json.
import type { EntitySpec } from '@plinth/sdk'
import { isFilterable, isSortable } from '../data/list-fields.ts'

type JsonSchema = Readonly<Record<string, unknown>>

export const idParams: JsonSchema = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', format: 'uuid' } },
}

const base = ['id', 'version', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy']

export function listParameters(spec: EntitySpec): JsonSchema {
  const names = [...base, ...Object.keys(spec.fields)]
  const sortable = names.filter((name) => isSortable(spec, name))
  const filters = names
    .filter((name) => isFilterable(spec, name))
    .map((name) => [
      name,
      {
        type: 'string',
        description: `Equals. Also ${name}[ne], [gt], [gte], [lt], [lte], [in], [contains].`,
      },
    ])
  return {
    type: 'object',
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
      cursor: { type: 'string', description: 'From the page before.' },
      sort: {
        type: 'string',
        description: `Fields, a minus before one for descending: ${sortable.join(', ')}.`,
      },
      ...Object.fromEntries(filters),
    },
  }
}
