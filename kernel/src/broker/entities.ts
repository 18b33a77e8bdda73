// Capability: records of the plugin's own entities.

import type { Json } from '@plinth/sdk'
import Type from 'typebox'
import type { Condition } from '../data/condition.ts'
import type { SortKey } from '../data/entity-store.ts'
import { parseRecord } from '../data/field-kinds/parse-fields.ts'
import { capability } from './capability.ts'
import {
  createRecord,
  deleteRecord,
  getRecord,
  listRecords,
  lockRecord,
  shown,
  storeOf,
  updateRecord,
} from './records.ts'

const closed = { additionalProperties: false }
const entity = Type.String({ maxLength: 64 })
const id = Type.String({ maxLength: 64 })
const values = Type.Record(Type.String(), Type.Unknown())
const field = Type.String({ maxLength: 64 })

const comparisons = { before: 'lt', after: 'gt', in: 'in', not: 'ne' } as const
type Comparison = keyof typeof comparisons

const isComparison = (value: unknown): value is Partial<Record<Comparison, Json>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).every((k) => k in comparisons)

/** `{ status: 'draft', date: { before: '2026-01-01' } }` as a condition. The store checks fields and values. */
function conditionOf(where: Readonly<Record<string, unknown>>): Condition {
  const all = Object.entries(where).flatMap(([name, wanted]): Condition[] =>
    isComparison(wanted)
      ? Object.entries(wanted).map(([key, value]) => ({
          field: name,
          op: comparisons[key as Comparison],
          value,
        }))
      : [{ field: name, op: 'eq', value: wanted }],
  )
  return { all }
}

const sortKey = (text: string): SortKey =>
  text.startsWith('-') ? { field: text.slice(1), descending: true } : { field: text, descending: false }

const one = Type.Object({ entity, id }, closed)

export const entities = {
  'entities.get': capability('entities.get', one, async (work, input) =>
    getRecord(work, work.unit, input.entity, input.id),
  ),
  'entities.lock': capability('entities.lock', one, async (work, input) =>
    shown(work, input.entity, await lockRecord(work, input.entity, input.id, 'update')),
  ),
  'entities.list': capability(
    'entities.list',
    Type.Object(
      {
        entity,
        where: Type.Optional(values),
        sort: Type.Optional(field),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
        cursor: Type.Optional(Type.String({ maxLength: 24_000 })),
      },
      closed,
    ),
    async (work, input) => {
      const page = await listRecords(work, work.unit, input.entity, {
        where: conditionOf(input.where ?? {}),
        ...(input.sort === undefined ? {} : { sort: [sortKey(input.sort)] }),
        ...(input.limit === undefined ? {} : { limit: input.limit }),
        ...(input.cursor === undefined ? {} : { cursor: input.cursor }),
      })
      return { items: page.items, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) }
    },
  ),
  'entities.create': capability(
    'entities.create',
    Type.Object({ entity, values }, closed),
    async (work, input) => {
      const { fields } = storeOf(work, input.entity).spec
      const created = await createRecord(
        work,
        input.entity,
        parseRecord(fields, input.values, 'create').values,
      )
      return shown(work, input.entity, created)
    },
  ),
  'entities.update': capability(
    'entities.update',
    Type.Object({ entity, id, changes: values }, closed),
    async (work, input) => {
      const { fields } = storeOf(work, input.entity).spec
      const changes = parseRecord(fields, input.changes, 'patch', { allowState: true }).values
      return shown(work, input.entity, await updateRecord(work, input.entity, input.id, changes))
    },
  ),
  'entities.delete': capability('entities.delete', one, async (work, input) => {
    await deleteRecord(work, input.entity, input.id)
    return null
  }),
}
