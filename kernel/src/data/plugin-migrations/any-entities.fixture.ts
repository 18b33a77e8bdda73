// Random entities for property tests: every kind of field, required and optional, references in circles.
import type { EntitySpec, FieldSpec } from '@plinth/sdk'
import fc from 'fast-check'
import { entityOf } from '../../../../tests/support/manifest.ts'

const entityNames = ['account', 'journalEntry', 'order', 'user', 'select'] as const
const fieldNames = ['code', 'dueOn', 'group', 'table', 'aLongNameWithManyWordsInIt', 'x1', 'limit'] as const

const optional = fc.constantFrom<{ optional?: true }>({}, { optional: true })

const scalar = fc.oneof(
  fc.constant<FieldSpec>({ kind: 'text', max: 100 }),
  fc.constant<FieldSpec>({ kind: 'int' }),
  fc.constant<FieldSpec>({ kind: 'decimal' }),
  fc.constant<FieldSpec>({ kind: 'bool' }),
  fc.constant<FieldSpec>({ kind: 'date' }),
  fc.constant<FieldSpec>({ kind: 'money' }),
  fc.constant<FieldSpec>({ kind: 'choice', values: ['a', 'b'] }),
  fc.constantFrom(...entityNames, 'crm.account').map((entity): FieldSpec => ({ kind: 'ref', entity })),
)

const lineField = fc.tuple(scalar, optional).map(([spec, more]): FieldSpec => ({ ...spec, ...more }))

const field: fc.Arbitrary<FieldSpec> = fc.oneof(
  { weight: 6, arbitrary: lineField },
  { weight: 1, arbitrary: scalar.map((spec): FieldSpec => ({ ...spec, unique: true })) },
  {
    weight: 1,
    arbitrary: fc
      .dictionary(fc.constantFrom(...fieldNames), lineField, {
        minKeys: 1,
        maxKeys: 4,
        noNullPrototype: true,
      })
      .map((fields): FieldSpec => ({ kind: 'lines', fields })),
  },
  { weight: 1, arbitrary: fc.constant<FieldSpec>({ kind: 'sequence', pattern: 'N-{000}' }) },
)

const entity = fc
  .dictionary(fc.constantFrom(...fieldNames), field, { minKeys: 1, noNullPrototype: true })
  .chain((fields) => {
    const indexable = Object.keys(fields).filter((name) => fields[name]?.kind !== 'lines')
    const indexes = indexable.length === 0 ? fc.constant([]) : fc.subarray(indexable.map((name) => [name]))
    return indexes.map((indexes): EntitySpec => entityOf(fields, { indexes }))
  })

/** All of the names exist, so that every reference has a target. */
export const anyEntities: fc.Arbitrary<Record<string, EntitySpec>> = fc.record(
  Object.fromEntries(entityNames.map((name) => [name, entity])),
)

/** A later version of `before` that can be reached: fields of `after` come as optional ones, old ones may become so. */
export function laterEntities(
  before: Record<string, EntitySpec>,
  after: Record<string, EntitySpec>,
): Record<string, EntitySpec> {
  const merged = Object.entries(after).map(([name, entity]) => {
    const old = before[name]
    const kept = mapFields(old?.fields ?? {}, (spec, field) => {
      const relaxed = spec.kind !== 'lines' && spec.kind !== 'sequence' && field.length % 2 === 0
      return relaxed ? { ...spec, optional: true } : spec
    })
    const added = mapFields(entity.fields, (spec): FieldSpec => {
      if (spec.kind === 'lines') return spec
      return spec.kind === 'sequence' ? { ...spec, at: 'open' } : { ...spec, optional: true }
    })
    const fields = { ...added, ...kept }
    const indexes = [...(old?.indexes ?? []), ...entity.indexes.filter(([field = '']) => !(field in kept))]
    return [name, entityOf(fields, { indexes })]
  })
  return Object.fromEntries(merged)
}

const mapFields = (
  fields: Readonly<Record<string, FieldSpec>>,
  map: (spec: FieldSpec, name: string) => FieldSpec,
): Record<string, FieldSpec> =>
  Object.fromEntries(Object.entries(fields).map(([name, spec]) => [name, map(spec, name)]))
