// Filters, orders and cursors of lists, and what is refused in them.
import t from 'tap'
import type { Condition } from './condition.ts'
import type { ListQuery } from './entity-store.ts'
import { parseRecord } from './field-kinds/parse-fields.ts'
import { parseFilterValue } from './list-fields.ts'
import { entity, storeFixture } from './store-fixture.ts'

const fixture = await storeFixture(t, {
  item: entity(
    {
      name: { kind: 'text', optional: true },
      rank: { kind: 'int' },
      due: { kind: 'date', optional: true },
      price: { kind: 'money', optional: true },
      type: { kind: 'choice', values: ['good', 'service'], default: 'good' },
      parent: { kind: 'ref', entity: 'item', optional: true },
      lines: { kind: 'lines', fields: { memo: { kind: 'text' } }, optional: true },
    },
    { indexes: [['rank']] },
  ),
})
const items = fixture.store('item')
const reader = fixture.connections.reader(fixture.tenant)
const add = (input: object) =>
  fixture.unit((u) => items.create(u, parseRecord(items.spec.fields, input, 'create').values))

const one = await add({ rank: 1, name: '100% wool', due: '2026-01-01' })
await add({ rank: 2, name: '100 x wool', price: { amount: '5', currency: 'USD' }, type: 'service' })
await add({ rank: 3, name: 'a_b', due: '2026-03-01', parent: one.id })
await add({ rank: 4, price: { amount: '10', currency: 'USD' }, lines: [{ memo: 'm' }] })

const ranks = async (query: ListQuery, condition?: Condition) =>
  (await items.list(reader, query, condition)).items.map(({ rank }) => rank)
const where = (field: string, op: string, value: unknown) =>
  ranks({ where: { field, op, value } as Condition, sort: [{ field: 'rank', descending: false }] })

t.test('every operator compares as its name says', async (t) => {
  t.same(await where('rank', 'eq', 2), [2])
  t.same(await where('rank', 'ne', 2), [1, 3, 4])
  t.same(await where('rank', 'gt', 2), [3, 4])
  t.same(await where('rank', 'gte', '2'), [2, 3, 4])
  t.same(await where('rank', 'lt', 2), [1])
  t.same(await where('rank', 'lte', 2), [1, 2])
  t.same(await where('rank', 'in', [1, 4, 9]), [1, 4])
  t.same(await where('rank', 'in', []), [])
  t.same(await where('due', 'gte', '2026-02-01'), [3])
  t.same(await where('parent', 'eq', one.id.toUpperCase()), [3])
  t.same(await where('type', 'in', ['service']), [2])
  t.same(await where('price.amount', 'gt', '9.99'), [4], 'numbers compare as numbers')
  t.same(await where('price.currency', 'eq', 'USD'), [2, 4])
  t.same(await where('createdAt', 'gte', one.createdAt), [1, 2, 3, 4])
  t.same(await where('createdBy', 'eq', 'nobody'), [])
})

t.test('a text is searched for as it stands, whatever is in it', async (t) => {
  t.same(await where('name', 'contains', '100%'), [1])
  t.same(await where('name', 'contains', 'A_B'), [3])
  t.same(await where('name', 'contains', '\\'), [])
  t.same(await where('name', 'contains', "' OR TRUE --"), [])
})

t.test('a field without a value is not equal to any, and can be asked for', async (t) => {
  t.same(await where('name', 'ne', 'a_b'), [1, 2, 4])
  t.same(await where('due', 'eq', null), [2, 4])
  t.same(await where('due', 'ne', null), [1, 3])
  const notWool: Condition = { not: { field: 'name', op: 'contains', value: 'wool' } }
  t.same(await ranks({ where: notWool }), [3, 4])
})

t.test('conditions nest, and the one of the permissions is met as well', async (t) => {
  const small: Condition = { field: 'rank', op: 'lt', value: 3 }
  const named: Condition = { field: 'name', op: 'ne', value: null }
  t.same(await ranks({ where: { any: [small, { all: [named, { not: small }] }] } }), [1, 2, 3])
  t.same(await ranks({ where: small }, { field: 'rank', op: 'gt', value: 1 }), [2])
  t.same(await ranks({ where: { any: [small, true] } }, { not: small }), [3, 4])
  t.same(await ranks({}, false), [])
  t.same(await ranks({ where: { any: [] } }), [])
  t.same(await ranks({ where: { all: [] } }), [1, 2, 3, 4])
})

t.test('what is no field, no operator or no value of the field is refused', async (t) => {
  const refused = (field: string, op: string, value: unknown, code: string) =>
    t.rejects(
      where(field, op, value),
      { code: 'VALIDATION_FAILED', data: { errors: [{ field, code }] } },
      field,
    )
  await refused('nothing', 'eq', 1, 'UNKNOWN_FIELD')
  await refused('tenant_id', 'eq', fixture.other, 'UNKNOWN_FIELD')
  await refused('lines', 'eq', 1, 'UNKNOWN_FIELD')
  await refused('price', 'eq', 1, 'UNKNOWN_FIELD')
  await refused('price.amount.x', 'eq', 1, 'UNKNOWN_FIELD')
  await refused('constructor', 'eq', 1, 'UNKNOWN_FIELD')
  await refused('name"; --', 'eq', 1, 'UNKNOWN_FIELD')
  await refused('rank', 'toString', 1, 'UNKNOWN_OPERATOR')
  await refused('rank', 'contains', '1', 'FILTER_INVALID')
  await refused('rank', 'eq', '1; --', 'FILTER_INVALID')
  await refused('rank', 'eq', { toString: 1 }, 'FILTER_INVALID')
  await refused('due', 'gt', 'yesterday', 'FILTER_INVALID')
  await refused('parent', 'eq', 'x', 'FILTER_INVALID')
  await refused('type', 'eq', 'goods', 'FILTER_INVALID')
  await refused('rank', 'in', 1, 'FILTER_INVALID')
  await refused('createdAt', 'gt', 'now', 'FILTER_INVALID')
  await t.rejects(ranks({ sort: [{ field: 'lines', descending: true }] }), { code: 'VALIDATION_FAILED' })
  const rank = { field: 'rank', descending: true }
  await t.rejects(ranks({ sort: [rank, rank] }), { code: 'VALIDATION_FAILED' }, 'twice the same')
  await t.rejects(ranks({ sort: [{ field: 'rank desc', descending: true }] }), { code: 'VALIDATION_FAILED' })
})

t.test('a cursor continues the list it came from and no other', async (t) => {
  const query: ListQuery = { sort: [{ field: 'due', descending: true }], limit: 2 }
  const { cursor = '' } = await items.list(reader, query)
  t.same(await ranks(query), [4, 2], 'without a date comes first, when descending')
  t.same(await ranks({ ...query, cursor }), [3, 1])
  t.equal((await items.list(reader, { ...query, cursor })).cursor, undefined)
  const where: Condition = { field: 'rank', op: 'gt', value: 0 }
  const others: ListQuery[] = [{}, { sort: [{ field: 'due', descending: false }] }, { ...query, where }]
  for (const other of others) {
    await t.rejects(items.list(reader, { ...other, cursor }), { code: 'CURSOR_INVALID' })
  }
  const [digest] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const wrong of [
    '',
    'x',
    forged(null),
    forged([digest]),
    forged([digest, "2026'", one.id]),
    forged([digest, '2026-01-01', null]),
    forged([digest, '2026-01-01', one.id, 1]),
    forged([digest, { x: 1 }, one.id]),
    'A'.repeat(100_000),
  ]) {
    await t.rejects(
      items.list(reader, { ...query, cursor: wrong }),
      { code: 'CURSOR_INVALID' },
      wrong.slice(0, 40),
    )
  }
})

t.test('a page has two hundred records at most', async (t) => {
  for (const limit of [0, -1]) t.equal((await items.list(reader, { limit })).items.length, 1)
  t.equal((await items.list(reader, { limit: 1e9 })).items.length, 4)
})

t.test('a value of a query string is checked by the kind of its field', async (t) => {
  t.same(parseFilterValue(items.spec, 'rank', 'gt', '12'), { value: 12 })
  t.same(parseFilterValue(items.spec, 'price.amount', 'gt', '012.50'), { value: '12.50' })
  t.same(parseFilterValue(items.spec, 'updatedAt', 'gt', '2026-01-01'), { value: '2026-01-01T00:00:00.000Z' })
  t.match(parseFilterValue(items.spec, 'type', 'gt', 'good'), { problem: /eq, ne, in/ })
  t.match(parseFilterValue(items.spec, 'rank', 'eq', 'x'), { problem: /whole number/ })
})
