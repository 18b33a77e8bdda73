import t from 'tap'
import { parseMigration } from './parse-migration.ts'

const withOperation = (operation: unknown) => () => parseMigration('0001-first', { operations: [operation] })
const field = (spec: unknown, name = 'a') =>
  withOperation({ op: 'addField', entity: 'thing', field: name, spec })

t.test('only what storage needs is taken from the file', async (t) => {
  const spec = { kind: 'text', max: 5, optional: true, unique: false, surprise: { $ref: 1 } }
  t.strictSame(field(spec)(), {
    name: '0001-first',
    operations: [{ op: 'addField', entity: 'thing', field: 'a', spec: { kind: 'text', optional: true } }],
  })
})

t.test('every operation is read back as it was written', async (t) => {
  const place = { entity: 'thing', field: 'a' }
  const operations = [
    { op: 'renameEntity', entity: 'thing', to: 'other' },
    ...['retireEntity', 'restoreEntity', 'dropEntity'].map((op) => ({ op, entity: 'thing' })),
    { op: 'renameField', ...place, lines: 'rows', to: 'b' },
    { op: 'fillField', ...place, value: { amount: '1.00', currency: 'INR' } },
    ...[
      'retireField',
      'restoreField',
      'dropField',
      'makeOptional',
      'makeRequired',
      'addUnique',
      'dropUnique',
    ].map((op) => ({ op, ...place })),
    ...['addIndex', 'retireIndex', 'restoreIndex', 'dropIndex'].map((op) => ({
      op,
      entity: 'thing',
      fields: ['a'],
    })),
    { op: 'backfill', entity: 'thing', sql: 'update thing set a = 1' },
  ]
  const file = {
    release: '1.2.0',
    operations: operations.map((operation) => ({ ...operation, surprise: 1 })),
  }
  t.strictSame(parseMigration('0002-all', file), { name: '0002-all', release: '1.2.0', operations })
})

t.test('a file that is anything else is refused with the place where it is wrong', async (t) => {
  const hostile: [() => unknown, RegExp][] = [
    [() => parseMigration('first', { operations: [] }), /must be named like 0001-first/],
    [() => parseMigration('0001-../x', { operations: [] }), /must be named/],
    [() => parseMigration('0001-first', null), /must be an object/],
    [() => parseMigration('0001-first', []), /must be an object/],
    [() => parseMigration('0001-first', { operations: 'drop' }), /must be a list/],
    [() => parseMigration('0001-first', { operations: Array(1001).fill(0) }), /at most 1000/],
    [
      () => parseMigration('0001-first', { operations: [], release: 'latest' }),
      /release: 'latest' is not a version/,
    ],
    [withOperation({ op: 'backfill', entity: 'thing', sql: 7 }), /sql must be one UPDATE/],
    [withOperation({ op: 'backfill', entity: 'thing', sql: 'x'.repeat(20_000) }), /at most 16384/],
    [withOperation({ op: 'renameEntity', entity: 'thing', to: 'a; drop' }), /to: 'a; drop' cannot be a name/],
    [withOperation({ op: 'fillField', entity: 'thing', field: 'a' }), /value must be a value/],
    [
      withOperation({
        op: 'addField',
        entity: 'thing',
        lines: 'rows',
        field: 'a',
        spec: { kind: 'lines', fields: {} },
      }),
      /'lines' is not stored/,
    ],
    [
      withOperation({ op: 'sql', entity: 'thing', text: 'drop table' }),
      /operations\.0\.op: there is no operation 'sql'/,
    ],
    [withOperation({ op: 'toString', entity: 'thing' }), /there is no operation/],
    [
      withOperation({ op: 'addIndex', entity: 'thing; drop', fields: ['a'] }),
      /entity: 'thing; drop' cannot be a name/,
    ],
    [withOperation({ op: 'addIndex', entity: 'thing', fields: ['a"b'] }), /fields\.0/],
    [withOperation({ op: 'addIndex', entity: 'thing', fields: [] }), /list of field names/],
    [field({ kind: 'text' }, '__proto__'), /cannot be a name/],
    [field({ kind: 'text' }, 'tenant_id'), /cannot be a name/],
    [field({ kind: 'uuid default pg_sleep(1)' }), /is not stored/],
    [field({ kind: 'object', fields: {} }), /is not stored/],
    [field({ kind: 'ref', entity: 'crm.account"' }), /cannot be a name/],
    [
      field({ kind: 'lines', fields: { x: { kind: 'lines', fields: {} } } }),
      /fields\.x\.kind: 'lines' is not stored/,
    ],
    [
      withOperation({ op: 'createEntity', entity: 'thing', spec: { fields: { 'a b': {} }, indexes: [] } }),
      /'a b' cannot be a name/,
    ],
  ]
  for (const [read, message] of hostile) t.throws(read, { message })
})
