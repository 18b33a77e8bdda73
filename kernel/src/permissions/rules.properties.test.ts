// Three answers to one question: the verdict on a record in memory, the rows that SQL finds, and the fields that may be
// read of them. Over random rules, people and records the first two are equal, and the third never says more.
import type { EntitySpec, Json, Manifest } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import { conditionSql, Slots } from '../data/condition-sql.ts'
import type { EntityRecord } from '../data/entity-store.ts'
import { parseRecord } from '../data/field-kinds/parse-fields.ts'
import { entity, manifestWith, storeFixture } from '../data/store-fixture.ts'
import type { AccessRule, Clause } from './access-rule.ts'
import { type Ability, buildAbility } from './build-ability.ts'
import { alwaysReadable, trimmed } from './field-rights.ts'
import type { Granted, Grants } from './grants.ts'
import { rowCondition } from './row-condition.ts'

const units = Array.from({ length: 4 }, (_, at) => `0190aaaa-0000-7000-8000-00000000000${at}`)
const people = ['ada', 'bob', 'cyd', 'dan']
const states = ['draft', 'posted', 'void']
const optional = { optional: true } as const
const spec: EntitySpec = entity(
  {
    name: { kind: 'text', ...optional },
    rank: { kind: 'int', ...optional },
    weight: { kind: 'decimal', ...optional },
    due: { kind: 'date', ...optional },
    price: { kind: 'money', ...optional },
    done: { kind: 'bool', ...optional },
    colour: { kind: 'choice', values: ['red', 'green'], ...optional },
    unit: { kind: 'ref', entity: 'organisation.unit', ...optional },
    status: { kind: 'state', transitions: { draft: states, posted: [], void: [] }, initial: 'draft' },
  },
  { scope: { unit: 'unit' } },
)
const manifest: Manifest = manifestWith({ item: spec })
const fixture = await storeFixture(t, manifest.entities)

// Values that are near each other, so that comparisons come out both ways, and that JavaScript would order otherwise.
const texts = ['', 'a', 'A', 'b', 'ä', 'z', 'é', '\u{1f600}', '\uffee', 'a b', "a'b", '%', '10', '9']
const decimals = [
  '0',
  '-0',
  '9',
  '10',
  '10.0',
  '10.00',
  '-1.5',
  '0.1',
  '0.10',
  '99999999999999999999.000000000000000001',
]
const days = ['2026-01-01', '2026-02-28', '1999-12-31', '0001-01-01']
const amounts = ['9.00', '10.00', '10', '-1.50', '100000000000000000.01']
const one = {
  name: fc.constantFrom(...texts),
  rank: fc.integer({ min: -2, max: 12 }),
  weight: fc.constantFrom(...decimals),
  due: fc.constantFrom(...days),
  done: fc.boolean(),
  colour: fc.constantFrom('red', 'green'),
  unit: fc.constantFrom(...units, ...units.map((id) => id.toUpperCase())),
  status: fc.constantFrom(...states),
  'price.amount': fc.constantFrom(...amounts),
  'price.currency': fc.constantFrom('USD', 'EUR'),
  createdBy: fc.constantFrom(...people),
} satisfies Record<string, fc.Arbitrary<Json>>
const orderable = ['name', 'rank', 'weight', 'due', 'price.amount', 'price.currency', 'createdBy', 'unit']

type Field = keyof typeof one
const fields = Object.keys(one) as Field[]
const comparison = fc.constantFrom(...fields).chain((field): fc.Arbitrary<Clause> => {
  const value: fc.Arbitrary<Json> = one[field]
  const isOrderable = orderable.includes(field)
  const equal = fc.record({
    field: fc.constant(field),
    op: fc.constantFrom('eq' as const, 'ne' as const),
    value: fc.option(value),
  })
  const listed = fc.record({
    field: fc.constant(field),
    op: fc.constant('in' as const),
    value: fc.array(value, { maxLength: 3 }),
  })
  const ordered = fc.record({
    field: fc.constant(field),
    op: fc.constantFrom('gt' as const, 'gte' as const, 'lt' as const, 'lte' as const),
    value,
  })
  return fc.oneof(
    equal,
    ...(field === 'done' ? [] : [listed]),
    ...(isOrderable ? [ordered] : []),
  ) as fc.Arbitrary<Clause>
})
const clause: fc.Arbitrary<Clause> = fc.oneof(
  { weight: 4, arbitrary: comparison },
  fc.constantFrom<Clause>({ own: true }, { team: true }, { unit: true }),
)
const rule: fc.Arbitrary<AccessRule> = fc.record(
  {
    permission: fc.constantFrom('trial.item.read', 'trial.item.*', 'trial.*'),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
    when: fc.array(clause, { minLength: 1, maxLength: 3 }),
    fields: fc.subarray(Object.keys(spec.fields), { minLength: 1 }),
  },
  { requiredKeys: ['permission', 'effect'] },
)
const person: fc.Arbitrary<Granted> = fc.record({
  userId: fc.constantFrom(...people),
  role: fc.constant('member' as const),
  roles: fc.array(
    fc.record({ id: fc.constant('r'), name: fc.constant('R'), rules: fc.array(rule, { maxLength: 3 }) }),
    { maxLength: 2 },
  ),
  scopes: fc.record({ team: fc.subarray(people), units: fc.subarray(units) }),
})
const grants: fc.Arbitrary<Grants> = fc
  .tuple(person, fc.option(person, { freq: 4 }))
  .map(([self, lender]) => ({
    ...self,
    lent: lender ? [{ delegation: 'd', permissions: ['trial.item.*'], by: lender }] : [],
  }))

const record = fc.record(
  {
    name: one.name,
    rank: one.rank,
    weight: one.weight,
    due: one.due,
    done: one.done,
    colour: one.colour,
    unit: one.unit,
    price: fc.record({ amount: one['price.amount'], currency: one['price.currency'] }),
    status: one.status,
    by: one.createdBy,
  },
  { requiredKeys: ['status', 'by'] },
)

async function stored(samples: readonly Record<string, Json | undefined>[]): Promise<EntityRecord[]> {
  const records: EntityRecord[] = []
  for (const { by, status, ...values } of samples) {
    const actor = String(by)
    records.push(
      await fixture.unit(
        async (unit) => {
          const store = fixture.store('item')
          const created = await store.create(unit, parseRecord(spec.fields, values, 'create').values)
          const changed = await store.update(unit, created.id, { status: String(status) })
          return changed ?? created
        },
        { actor },
      ),
    )
  }
  return records
}

const tableName = 'plugin_trial.item'

/** Which records each condition lets through, by one statement for all. */
async function foundBy(conditions: readonly ReturnType<typeof rowCondition>[]): Promise<Set<string>[]> {
  const slots = new Slots()
  const columns = conditions.map((condition) => {
    const sql = conditionSql(spec, condition, slots)
    let at = 0
    const text = sql.text.replaceAll('?', () => `$${(sql.slots[at++] ?? 0) + 1}`)
    return `coalesce(array_agg(t.id::text) filter (where ${text}), '{}')`
  })
  const { rows } = await fixture.database.admin.query({
    text: `select ${columns.join(', ')} from ${tableName} t`,
    values: slots.values as unknown[],
    rowMode: 'array',
  })
  return (rows[0] as string[][]).map((ids) => new Set(ids))
}

const rounds = 5
const casesOfRound = 2_000
const batch = 250

/** Fields that are shown and may not be read, or the other way round. */
function wrongFields(ability: Ability, one: EntityRecord): unknown[] {
  const shown = trimmed(ability, spec, 'item', one)
  return Object.keys(spec.fields).filter((field) => {
    const mayRead = ability.can('read', { entity: 'item', record: one }, field)
    if (alwaysReadable(ability, 'item', field) && !mayRead) return true
    return Object.hasOwn(one, field) && Object.hasOwn(shown, field) !== mayRead
  })
}

t.test('the verdict in memory is the rows that SQL finds, over 10,000 sets of rules', async (t) => {
  let cases = 0
  const verdicts = { yes: 0, no: 0 }
  const wrong: unknown[] = []
  for (let round = 0; round < rounds; round += 1) {
    const records = await stored(fc.sample(record, 20) as Record<string, Json | undefined>[])
    const asked = fc.sample(grants, casesOfRound)
    for (let at = 0; at < asked.length; at += batch) {
      const some = asked
        .slice(at, at + batch)
        .map((given) => ({ given, ability: buildAbility(manifest, given) }))
      const found = await foundBy(some.map(({ ability }) => rowCondition(ability, 'read', 'item')))
      for (const [index, { given, ability }] of some.entries()) {
        cases += 1
        for (const one of records) {
          const verdict = ability.can('read', { entity: 'item', record: one })
          verdicts[verdict ? 'yes' : 'no'] += 1
          if (verdict !== found[index]?.has(one.id)) wrong.push({ given, one, verdict })
          if (verdict && cases % 10 === 0) wrong.push(...wrongFields(ability, one))
        }
      }
    }
    await fixture.database.admin.query(`delete from ${tableName}`)
  }
  t.same(wrong.slice(0, 2), [])
  t.equal(cases, 10_000)
  t.ok(verdicts.yes > 15_000 && verdicts.no > 15_000, `both answers are met: ${JSON.stringify(verdicts)}`)
})
