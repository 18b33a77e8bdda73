import type { FieldSpec, FieldSpecs } from '@plinth/sdk'
import fc from 'fast-check'
import t from 'tap'
import { entityOf, ledger, manifestOf } from '../../../../tests/support/manifest.ts'
import { anyEntities, laterEntities } from './any-entities.fixture.ts'
import { diffMigrations } from './diff-migrations.ts'
import { foldMigrations } from './fold-operations.ts'
import type { Operation } from './operations.ts'
import { parseMigration } from './parse-migration.ts'
import { storageShape } from './storage-shape.ts'

const thing = (fields: FieldSpecs, indexes: string[][] = []) =>
  manifestOf('shop', { thing: entityOf(fields, { indexes }) })

const text: FieldSpec = { kind: 'text', max: 100 }

const fold = (...operations: Operation[]) => foldMigrations([{ name: '0001-all', operations }])

/** What it takes to go from one set of fields to another. */
const step = (before: FieldSpecs, after: FieldSpecs) =>
  diffMigrations(storageShape(thing(before)), thing(after))

t.test('a first version is made of entities', async (t) => {
  const { operations, refusals } = diffMigrations({}, ledger)
  t.strictSame(refusals, [])
  t.strictSame(
    operations.map((operation) => [operation.op, operation.entity]),
    [
      ['createEntity', 'account'],
      ['createEntity', 'journalEntry'],
    ],
  )
})

t.test('what storage does not depend on is no migration', async (t) => {
  const before: FieldSpecs = {
    code: text,
    kind: { kind: 'choice', values: ['a'] },
    age: { kind: 'int', max: 9 },
  }
  const after: FieldSpecs = {
    age: { kind: 'int', max: 99 },
    code: { ...text, max: 5, default: 'x' },
    kind: { kind: 'choice', values: ['a', 'b'] },
  }
  t.strictSame(step(before, after), { operations: [], refusals: [] })
})

t.test('fields are added when the records already there can have them', async (t) => {
  const added: [FieldSpec, boolean][] = [
    [{ ...text, optional: true }, true],
    [{ ...text, default: 'none' }, true],
    [text, false],
    [{ kind: 'money', default: { amount: '0.00', currency: 'INR' } }, true],
    [{ kind: 'money' }, false],
    [{ kind: 'state', transitions: { open: [] }, initial: 'open' }, true],
    [{ kind: 'sequence', pattern: 'N-{000}' }, false],
    [{ kind: 'sequence', pattern: 'N-{000}', at: 'open' }, true],
    [{ kind: 'ref', entity: 'thing' }, false],
    [{ kind: 'lines', fields: { item: text } }, true],
  ]
  for (const [spec, possible] of added) {
    const { operations, refusals } = step({ code: text }, { code: text, more: spec })
    t.equal(operations.length, possible ? 1 : 0, JSON.stringify(spec))
    t.equal(refusals.length, possible ? 0 : 1, JSON.stringify(spec))
  }
})

t.test('what would lose values or break records is refused with the reason', async (t) => {
  const refusal = (before: FieldSpecs, after: FieldSpecs) => step(before, after).refusals.join(' ')
  t.equal(
    refusal(
      { a: text, b: text },
      { a: text, c: { ...text, optional: true }, d: { kind: 'int', optional: true } },
    ),
    "Field 'thing.b' is gone from the manifest. If it has another name now: plinth migrate --rename thing.b=thing.c. " +
      'If nobody needs it any more: plinth migrate --drop thing.b (what is stored stays until a later release drops it).',
  )
  t.match(
    refusal({ a: text }, { a: { kind: 'int' } }),
    /^Field 'thing\.a' was text and is now int: .* Add a new field instead, fill it .*--drop thing\.a/,
  )
  t.match(refusal({ a: { ...text, optional: true } }, { a: text }), /is now required.*--backfill thing=/)
  t.match(
    refusal({ a: { kind: 'ref', entity: 'thing' } }, { a: { kind: 'ref', entity: 'crm.account' } }),
    /referred to 'thing' and now to 'crm\.account'/,
  )
  t.match(
    refusal(
      { a: { kind: 'lines', fields: { x: text } } },
      { a: { kind: 'lines', fields: { x: { kind: 'int' } } } },
    ),
    /^Field 'thing\.a\.x' was text/,
  )
  t.match(
    diffMigrations(storageShape(ledger), manifestOf('ledger', { book: entityOf({ a: text }) })).refusals,
    [/^Entity 'account' is gone.*--rename account=book.*--drop account /, /^Entity 'journalEntry' is gone/],
  )
})

t.test('what the database can verify is written without being asked for', async (t) => {
  const ops = (before: FieldSpecs, after: FieldSpecs) => step(before, after).operations
  t.strictSame(ops({ a: text }, { a: { ...text, unique: true } }), [
    { op: 'addUnique', entity: 'thing', field: 'a' },
  ])
  t.strictSame(ops({ a: { ...text, unique: true } }, { a: text }), [
    { op: 'dropUnique', entity: 'thing', field: 'a' },
  ])
  t.strictSame(ops({ a: { ...text, optional: true } }, { a: { ...text, default: 'x' } }), [
    { op: 'fillField', entity: 'thing', field: 'a', value: 'x' },
    { op: 'makeRequired', entity: 'thing', field: 'a' },
  ])
  t.strictSame(diffMigrations(storageShape(thing({ a: text }, [['a']])), thing({ a: text })).operations, [
    { op: 'retireIndex', entity: 'thing', fields: ['a'] },
  ])
})

t.test('a field may become optional, an index may come', async (t) => {
  const { operations } = diffMigrations(
    storageShape(thing({ a: text, l: { kind: 'lines', fields: { x: text } } })),
    thing(
      {
        a: { ...text, optional: true },
        l: { kind: 'lines', fields: { x: { ...text, optional: true }, y: { kind: 'int', optional: true } } },
      },
      [['a']],
    ),
  )
  t.strictSame(operations, [
    { op: 'makeOptional', entity: 'thing', field: 'a' },
    { op: 'makeOptional', entity: 'thing', lines: 'l', field: 'x' },
    { op: 'addField', entity: 'thing', lines: 'l', field: 'y', spec: { kind: 'int', optional: true } },
    { op: 'addIndex', entity: 'thing', fields: ['a'] },
  ])
})

t.test('names that would share a column or a table are refused', async (t) => {
  const refusals = (fields: FieldSpecs) => diffMigrations({}, thing(fields)).refusals
  t.match(refusals({ total: { kind: 'money' }, totalAmount: text }), [
    /^'totalAmount' in entity 'thing' and 'total' in entity 'thing' would share the column total_amount\.$/,
  ])
  t.match(refusals({ tenantId: text }), [/share the column tenant_id/])
  t.match(refusals({ rows: { kind: 'lines', fields: { position: { kind: 'int' }, thingId: text } } }), [
    /share the column position/,
    /share the column thing_id/,
  ])
  const two = manifestOf('shop', {
    thing: entityOf({ rows: { kind: 'lines', fields: { a: text } } }),
    thingRows: entityOf({ a: text }),
    numberSeries: entityOf({ a: text }),
  })
  t.match(diffMigrations({}, two).refusals, [/share the table thing_rows/, /share the table number_series/])
})

t.test(
  'after any possible change the operations give what the manifest wants, also through JSON',
  async (t) => {
    fc.assert(
      fc.property(anyEntities, anyEntities, (one, two) => {
        const first = diffMigrations({}, manifestOf('shop', one)).operations
        const later = manifestOf('shop', laterEntities(one, two))
        const second = diffMigrations(fold(...first), later)
        t.strictSame(second.refusals, [])
        const text = JSON.stringify({ operations: [...first, ...second.operations] })
        const { operations } = parseMigration('0001-all', JSON.parse(text))
        const rest = diffMigrations(fold(...operations), later)
        t.strictSame(rest, { operations: [], refusals: [] })
      }),
      { numRuns: 200 },
    )
  },
)

t.test('operations that cannot follow each other are refused', async (t) => {
  const create = { op: 'createEntity', entity: 'thing', spec: { fields: { a: text }, indexes: [] } } as const
  t.throws(() => fold(create, create), { message: "Entity 'thing' is created twice." })
  t.throws(() => fold({ op: 'addIndex', entity: 'thing', fields: ['a'] }), {
    message: /no entity 'thing'/,
  })
  t.throws(() => fold(create, { op: 'addField', entity: 'thing', field: 'a', spec: text }), {
    message: /added twice/,
  })
  t.throws(() => fold(create, { op: 'makeOptional', entity: 'thing', field: 'b' }), {
    message: /no field 'thing\.b'/,
  })
  t.throws(() => fold(create, { op: 'makeOptional', entity: 'thing', lines: 'a', field: 'b' }), {
    message: /no lines/,
  })
})
