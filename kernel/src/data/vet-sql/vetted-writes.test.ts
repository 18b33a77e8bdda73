// INSERT, UPDATE and DELETE of a plugin: what the vetting refuses, what it adds, and that this is what PostgreSQL runs.
import { randomUUIDv7 } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { isPlinthError } from '../../errors.ts'
import { entity, storeFixture } from '../store-fixture.ts'
import { vetBackfill, vetSql } from '../vet-sql.ts'
import { reportScope } from './report-scope.ts'
import { writableTables } from './write-scope.ts'

const entities = {
  item: entity({
    code: { kind: 'text', max: 20, unique: true },
    stock: { kind: 'int', optional: true },
    price: { kind: 'money', optional: true },
    lines: { kind: 'lines', fields: { memo: { kind: 'text' } } },
  }),
  deal: entity({
    name: { kind: 'text' },
    number: { kind: 'sequence', pattern: 'D-{0000}', at: 'won' },
    stage: { kind: 'state', transitions: { open: ['won'], won: [] }, initial: 'open' },
  }),
  entry: entity(
    {
      memo: { kind: 'text' },
      lines: { kind: 'lines', fields: { note: { kind: 'text' } } },
      status: { kind: 'state', transitions: { draft: ['posted'], posted: [] }, initial: 'draft' },
    },
    { immutableIn: ['posted'] },
  ),
}
const fixture = await storeFixture(t, entities)
const { role, tenant, other, unit } = fixture
const scope = {
  ...reportScope('trial', entities, 1_000),
  schema: 'plugin_trial',
  writable: writableTables(entities),
}

const run = (text: string, values: readonly unknown[] = [], as = tenant) =>
  unit((u) => u.query(role, vetSql(text, scope).statement(values, 'bob')), { tenant: as })

const refusalOf = (text: string): string => {
  try {
    return `passed as ${vetSql(text, scope).text}`
  } catch (error) {
    return isPlinthError(error) && error.code === 'SQL_REFUSED' ? error.message : `not a refusal: ${error}`
  }
}

t.test('an inserted record is what the store would have made of it', async (t) => {
  const { rows } = await run(
    "insert into item (code, stock) values ($1, 5), ('b', $2) returning id, code, stock",
    ['a', 6],
  )
  t.same(
    rows.map(([, ...rest]) => rest),
    [
      ['a', 5],
      ['b', 6],
    ],
  )
  const id = String(rows[0]?.[0])
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const age = Date.now() - Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  t.ok(age >= -1_000 && age < 60_000, 'with the time in it')
  const made = await unit((u) => fixture.store('item').get(u, id))
  t.match(made, { id, version: 1, createdBy: 'bob', updatedBy: 'bob', code: 'a', stock: 5 })
})

t.test('a record inserted from a query begins in its state and has no number', async (t) => {
  await run("insert into deal (name) select i.code || '!' from item i where i.code = $1 order by 1", ['a'])
  const { items } = await fixture.store('deal').list(fixture.connections.reader(tenant), {})
  t.match(items, [{ name: 'a!', stage: 'open', version: 1, createdBy: 'bob' }])
  t.equal(items[0]?.['number'], undefined)
})

t.test('every changed record has a new version and says who changed it', async (t) => {
  const [before] = (await fixture.store('item').list(fixture.connections.reader(tenant), {})).items
  const update = 'update item as x set stock = stock + $1 from deal d where x.code = $2 and d.name <> x.code'
  t.equal((await run(update, [1, before?.['code']])).rowCount, 1)
  const after = await unit((u) => fixture.store('item').get(u, before?.id ?? ''))
  t.match(after, { version: 2, stock: Number(before?.['stock']) + 1, createdBy: before?.createdBy })
})

t.test('ON CONFLICT works on the unique keys that were declared, and counts as a change', async (t) => {
  await run("insert into item (code, stock) values ('c', 1)")
  const again = `insert into item (code, stock) values ('c', 10)
    on conflict (code) do update set stock = item.stock + excluded.stock where item.stock < 100 returning stock, version`
  t.same((await run(again)).rows, [[11, 2]])
  t.equal((await run("insert into item (code) values ('c') on conflict do nothing")).rowCount, 0)
  t.equal((await run("insert into item (code) values ('c') on conflict (code) do nothing")).rowCount, 0)
  t.equal((await run('delete from item where code = $1 returning code', ['c'])).rowCount, 1)
})

t.test('the rows that a query gives to an INSERT are bounded on the server', async (t) => {
  const bounded = (text: string) => vetSql(text, { ...scope, maxWritten: 10 }).text
  t.match(bounded("insert into item (code) select 'x' || n from generate_series(1, 99) n"), /LIMIT 11$/)
  t.match(bounded('insert into item (code) select code from item limit $1'), /LIMIT LEAST\(\$1, 11\)$/)
  t.notMatch(bounded("insert into item (code) values ('x')"), /LIMIT/)
})

t.test('lines are written like rows of a table', async (t) => {
  const text = "insert into item_lines (item_id, position, memo) select id, 1, 'x' from item where code = 'a'"
  t.equal((await run(text)).rowCount, 1)
  t.equal((await run("update item_lines set memo = 'y' where memo = 'x'")).rowCount, 1)
  t.equal((await run('delete from item_lines l using item i where i.id = l.item_id')).rowCount, 1)
})

t.test('what the kernel promises about records is out of reach, with the reason', async (t) => {
  for (const [text, reason] of [
    [`update item set tenant_id = '${other}'`, /'tenant_id' may not be set: the kernel sets it/],
    ['update item set version = 1', /'version' may not be set/],
    ["update item set created_by = 'x'", /'created_by' may not be set/],
    ['update item set created_at = now()', /'created_at' may not be set/],
    ['update item set updated_at = now()', /'updated_at' may not be set/],
    [`update item set id = '${randomUUIDv7()}'`, /'id' may not be changed/],
    ["update deal set stage = 'won'", /'stage' may not be set: a state is moved by actions/],
    ["insert into deal (name, stage) values ('x', 'won')", /'stage' may not be set/],
    ["update deal set number = 'D-1'", /'number' may not be set: the kernel gives the numbers/],
    ["update entry set memo = 'x'", /a entry cannot be changed once it is posted/],
    ["insert into entry (memo) values ('x')", /cannot be changed once it is posted/],
    ['delete from entry', /cannot be changed once it is posted/],
    ["update entry_lines set note = 'x'", /cannot be changed once it is posted/],
    [`update item_lines set item_id = '${randomUUIDv7()}'`, /'item_id' may not be changed/],
    [
      "insert into item (code) values ('x') on conflict (code) do update set version = 9",
      /'version' may not/,
    ],
    ["insert into item (code) values ('x') on conflict (stock) do nothing", /names no unique key/],
    ["insert into item (code) values ('x') on conflict on constraint item_code_key do nothing", /CONSTRAINT/],
    ["insert into item values ('x')", /name the columns/],
    ['insert into item default values', /name the columns/],
    ['insert into item (code) values (default)', /DEFAULT/],
    ["insert into item (code) select distinct 'x'", /put DISTINCT and UNION inside/],
    ["insert into item (code) select 'x' union select 'y'", /put DISTINCT and UNION inside/],
    ["update item set (code, stock) = ('x', 1)", /SET \(a, b\)/],
    ["update kernel.tenant set name = 'x'", /schema name/],
    ['update number_series set last = 1', /there is no table/],
    ['delete from pg_class', /there is no table/],
    ['with x as (delete from item returning *) delete from item', /DELETE inside a statement/],
    ['with x as (delete from item returning *) select * from x', /DELETE inside a statement/],
    ['with item as (select 1) delete from item', /has the name of a table/],
    ['delete from item where item.row_to_json is null', /no column 'row_to_json'/],
    ['delete from item returning item.row_to_json', /no column 'row_to_json'/],
    ['delete from item returning xmin', /system column/],
    ['update item set code = pg_sleep(1)::text', /pg_sleep/],
    ['update item set code = x.y from pg_class x', /there is no table/],
    ['delete from item where current of c', /CURRENT OF/],
    ['merge into item a using item b on a.id = b.id when matched then delete', /MERGE/],
    ['truncate item', /TRUNCATE/],
    ['select * from item for update', /FOR UPDATE/],
    ['select * into x from item', /INTO/],
    ["copy item to program 'id'", /COPY/],
  ] as const) {
    t.match(refusalOf(text), reason, text)
  }
  const { writable: _, ...readOnly } = scope
  for (const text of [
    'delete from item',
    "insert into item (code) values ('x')",
    'update item set stock = 1',
  ]) {
    t.throws(() => vetSql(text, readOnly), { code: 'SQL_REFUSED' }, text)
  }
})

t.test('rows that do not fit their columns are PostgreSQL’s error and write nothing', async (t) => {
  for (const text of [
    'insert into item (code, stock) select * from item_lines',
    "insert into item (code, stock) select 'x'",
    "insert into item (code) select 'x', 7, 'y'",
  ]) {
    await t.rejects(run(text), { code: '42601' }, text)
  }
})

t.test(
  'a backfill is one UPDATE, of records that no longer change too, and gives no new version',
  async (t) => {
    const { text, entity } = vetBackfill("update entry set memo = upper(memo) where memo <> ''", scope)
    t.equal(entity, 'entry')
    t.equal(text, "UPDATE plugin_trial.entry SET memo = upper(memo) WHERE memo <> ''")
    for (const wrong of [
      "insert into item (code) values ('x')",
      'delete from item',
      'select 1',
      'update item set stock = $1',
      'update item set version = 1',
      `update entry set tenant_id = '${other}'`,
      "update entry set status = 'posted'",
      'update item set stock = 1; update item set stock = 2',
    ]) {
      t.throws(() => vetBackfill(wrong, scope), { code: 'SQL_REFUSED' }, wrong)
    }
  },
)

t.test('whatever is written, other tenants’ rows and protected columns stay as they are', async (t) => {
  await run("insert into item (code, stock) values ('theirs', 1), ('a', 2)", [], other)
  const snapshot = async () =>
    (
      await fixture.database.admin.query('select * from plugin_trial.item where tenant_id = $1 order by id', [
        other,
      ])
    ).rows
  const theirs = await snapshot()
  const kept = async () =>
    (
      await fixture.database.admin.query<{ id: string; text: string; version: number }>(
        'select id, created_at || created_by || tenant_id as text, version from plugin_trial.item where tenant_id = $1',
        [tenant],
      )
    ).rows
  const column = fc.constantFrom(
    'code',
    'stock',
    'id',
    'version',
    'tenant_id',
    'created_by',
    'updated_at',
    'price_amount',
  )
  const value = fc.constantFrom(
    "'a'",
    '1',
    'null',
    `'${other}'`,
    'stock',
    'version',
    'x.stock',
    "'z' || code",
    "'theirs'",
  )
  const where = fc.constantFrom(
    '',
    'where true',
    `where tenant_id = '${other}'`,
    "where code = 'theirs'",
    'where stock > 1',
  )
  const returning = fc.constantFrom('', ' returning id', ' returning *')
  const statement = fc.oneof(
    fc.tuple(column, value, where, returning).map(([c, v, w, r]) => `update item x set ${c} = ${v} ${w}${r}`),
    fc.tuple(where, returning).map(([w, r]) => `delete from item x ${w}${r}`),
    fc
      .tuple(
        column,
        value,
        fc.constantFrom('do nothing', 'do update set stock = 5', 'do update set version = 1'),
      )
      .map(
        ([c, v, action]) => `insert into item (code, ${c}) values ('n', ${v}) on conflict (code) ${action}`,
      ),
    fc
      .tuple(column, where)
      .map(([c, w]) => `insert into item (code, ${c}) select code || 'x', ${c} from item ${w}`),
  )
  let ran = 0
  await fc.assert(
    fc.asyncProperty(statement, async (text) => {
      const before = new Map((await kept()).map((row) => [row.id, row]))
      await run(text).then(
        () => {
          ran += 1
        },
        () => undefined,
      )
      t.same(await snapshot(), theirs, text)
      for (const row of await kept()) {
        const was = before.get(row.id)
        if (was) t.ok(was.text === row.text && row.version >= was.version, text)
        else t.equal(row.version, 1, text)
      }
    }),
    { numRuns: 150 },
  )
  t.ok(ran > 10, `${ran} statements ran`)
})
