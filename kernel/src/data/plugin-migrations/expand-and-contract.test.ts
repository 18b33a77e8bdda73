import type { FieldSpec, FieldSpecs } from '@plinth/sdk'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { entityOf } from '../../../../tests/support/manifest.ts'
import { compatibilityOf } from './compatibility.ts'
import { evolvingPlugin, insertRow } from './evolving-plugin.fixture.ts'

const db = await testDatabase(t)
const text: FieldSpec = { kind: 'text', max: 100 }
const maybe: FieldSpec = { ...text, optional: true }
const tenant = await db.addTenant('one')
const other = await db.addTenant('two')

const thing = (fields: FieldSpecs, indexes: string[][] = []) => ({ thing: entityOf(fields, { indexes }) })

/** Names of tables, columns, constraints and indexes. */
async function names(schema: string): Promise<string[]> {
  const { rows } = await db.admin.query<{ name: string }>(
    `select c.relname || '.' || a.attname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
     union all select c.relname || ' ' || k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid
      where c.relnamespace = to_regnamespace($1)
     union all select i.relname from pg_class i where i.relnamespace = to_regnamespace($1) and i.relkind = 'i'
      order by 1`,
    [schema],
  )
  return rows.map((row) => row.name)
}

t.test('a renamed field keeps its values, and its old name is free for another', async (t) => {
  const plugin = evolvingPlugin(db, 'fieldrename')
  const table = 'plugin_fieldrename.thing'
  await plugin.become(
    thing(
      {
        code: { ...text, unique: true },
        nr: { kind: 'sequence', pattern: '{000}' },
        of: { kind: 'ref', entity: 'thing', optional: true },
        rows: { kind: 'lines', fields: { a: text } },
      },
      [['code']],
    ),
  )
  await insertRow(db, table, tenant, { code: 'A', nr: '001' })
  await db.admin.query(
    `insert into plugin_fieldrename.number_series (tenant_id, series, period, last) values ($1, 'thing.nr', '', 1)`,
    [tenant],
  )
  const entities = thing(
    {
      number: { ...text, unique: true },
      serial: { kind: 'sequence', pattern: '{000}' },
      parent: { kind: 'ref', entity: 'thing', optional: true },
      parts: { kind: 'lines', fields: { b: text } },
    },
    [['number']],
  )
  t.throws(() => plugin.write(entities), /--rename thing\.code=thing\.number/, 'never guessed')
  await plugin.become(entities, {
    rename: [
      'thing.code=thing.number',
      'thing.nr=thing.serial',
      'thing.of=thing.parent',
      'thing.rows=thing.parts',
      'thing.parts.a=thing.parts.b',
    ],
  })
  t.equal(compatibilityOf(plugin.migrations.slice(1)).compatibility, 'exclusive')
  t.strictSame((await db.admin.query(`select number, serial from ${table}`)).rows, [
    { number: 'A', serial: '001' },
  ])
  t.strictSame((await db.admin.query('select series from plugin_fieldrename.number_series')).rows, [
    { series: 'thing.serial' },
  ])
  const fresh = evolvingPlugin(db, 'fieldfresh')
  await fresh.become(entities)
  t.strictSame(await names('plugin_fieldrename'), await names('plugin_fieldfresh'))
  await plugin.become(
    thing(
      {
        ...entities.thing.fields,
        code: { ...maybe, unique: true },
        of: { kind: 'ref', entity: 'thing', optional: true },
      },
      [['number'], ['code']],
    ),
  )
})

t.test('a renamed entity takes its lines, references, numbers and constraints along', async (t) => {
  const plugin = evolvingPlugin(db, 'entityrename')
  const fields: FieldSpecs = {
    code: { ...text, unique: true },
    nr: { kind: 'sequence', pattern: '{000}' },
    rows: { kind: 'lines', fields: { to: { kind: 'ref', entity: 'account' } } },
  }
  await plugin.become({
    account: entityOf(fields, { indexes: [['code']] }),
    entry: entityOf({ account: { kind: 'ref', entity: 'account' } }),
  })
  await db.admin.query(
    `insert into plugin_entityrename.number_series (tenant_id, series, period, last) values ($1, 'account.nr', '', 7)`,
    [tenant],
  )
  await insertRow(db, 'plugin_entityrename.account', tenant, { code: 'A', nr: '007' })
  const renamed = {
    ledgerAccount: entityOf(
      { ...fields, rows: { kind: 'lines', fields: { to: { kind: 'ref', entity: 'ledgerAccount' } } } },
      { indexes: [['code']] },
    ),
    entry: entityOf({ account: { kind: 'ref', entity: 'ledgerAccount' } }),
  }
  await plugin.become(renamed, { rename: ['account=ledgerAccount'] })
  t.strictSame((await db.admin.query('select code from plugin_entityrename.ledger_account')).rows, [
    { code: 'A' },
  ])
  t.strictSame(
    (await db.admin.query('select series, last::int from plugin_entityrename.number_series')).rows,
    [{ series: 'ledgerAccount.nr', last: 7 }],
  )
  const fresh = evolvingPlugin(db, 'entityfresh')
  await fresh.become(renamed)
  t.strictSame(await names('plugin_entityrename'), await names('plugin_entityfresh'))
  const again = { ...renamed, account: entityOf(fields, { indexes: [['code']] }) }
  await plugin.become({
    ...again,
    account: entityOf({ ...fields, rows: { kind: 'lines', fields: { a: text } } }),
  })
})

t.test('what is retired goes on working for the version before, and a later release drops it', async (t) => {
  const plugin = evolvingPlugin(db, 'retiring')
  const table = 'plugin_retiring.thing'
  await plugin.become({
    ...thing(
      { a: text, b: { ...text, unique: true }, rows: { kind: 'lines', fields: { x: text, y: text } } },
      [['b']],
    ),
    old: entityOf({ of: { kind: 'ref', entity: 'thing', optional: true }, a: text }),
  })
  const before = { migrations: [...plugin.migrations], manifest: plugin.manifest }
  await insertRow(db, table, tenant, { a: 'a', b: 'kept' })
  const after = thing({ a: text, rows: { kind: 'lines', fields: { x: text } } })
  const drop = ['thing.b', 'thing.rows.y', 'old']
  t.throws(
    () => plugin.write(after, { drop: [...drop, 'thing.a'] }),
    /--drop thing\.a: it is still in the manifest/,
  )
  await plugin.become(after, { drop })
  t.strictSame(compatibilityOf(plugin.migrations.slice(1)), { compatibility: 'compatible', reasons: [] })

  await insertRow(db, table, tenant, { a: 'new version' })
  await insertRow(db, table, tenant, { a: 'old version', b: 'also' })
  await insertRow(db, 'plugin_retiring.old', tenant, { a: 'old version' })
  t.equal((await db.admin.query(`select from ${table} where b is not null`)).rowCount, 2)
  const older = evolvingPlugin(db, 'retiring')
  older.write(before.manifest.entities)
  t.match(await older.apply(), { applied: [] }, 'the version before starts on the tables after')

  t.throws(
    () =>
      plugin.write({
        ...after,
        thing: entityOf({ ...after.thing.fields, b: { kind: 'int', optional: true } }),
      }),
    /'thing\.b' was retired as text and its column is still there/,
  )
  await plugin.contract()
  t.match(compatibilityOf(plugin.migrations.slice(2)), { compatibility: 'exclusive', reasons: { length: 4 } })
  const fresh = evolvingPlugin(db, 'retiredfresh')
  await fresh.become(after)
  t.strictSame(await names('plugin_retiring'), await names('plugin_retiredfresh'))
  await t.rejects(
    older.apply(),
    /has its migration '0003-step', which this version of the plugin does not know/,
  )
})

t.test('dropping is for a later release alone', async (t) => {
  const plugin = evolvingPlugin(db, 'dropping')
  await plugin.become(thing({ a: text, b: text }, [['a']]))
  const drops = [
    { op: 'dropField', entity: 'thing', field: 'b' },
    { op: 'dropEntity', entity: 'thing' },
    { op: 'dropIndex', entity: 'thing', fields: ['a'] },
  ] as const
  for (const drop of drops) {
    plugin.writeOperations([drop])
    await t.rejects(plugin.apply(), /is in use and cannot be dropped\. Retire it first/, drop.op)
    plugin.forgetLast()
  }
  plugin.write(thing({ a: text }), { drop: ['thing.b'] })
  const [, retired] = plugin.migrations
  plugin.forgetLast()
  plugin.writeOperations([...(retired?.operations ?? []), { op: 'dropField', entity: 'thing', field: 'b' }])
  await t.rejects(
    plugin.apply(),
    /was retired by '0002-step' of release 1\.1\.0 and cannot be dropped in release 1\.1\.0/,
  )
})

t.test('what was retired comes back with what it held', async (t) => {
  const plugin = evolvingPlugin(db, 'restoring')
  const first = { ...thing({ a: text, b: text }, [['b']]), old: entityOf({ a: text }) }
  await plugin.become(first)
  await insertRow(db, 'plugin_restoring.thing', tenant, { a: 'a', b: 'kept' })
  await plugin.become(thing({ a: text }), { drop: ['thing.b', 'old'] })
  const operations = plugin.write({ ...thing({ a: text, b: maybe }, [['b']]), old: entityOf({ a: text }) })
  t.strictSame(
    operations.map((operation) => operation.op),
    ['restoreField', 'restoreEntity', 'restoreIndex'],
  )
  await plugin.apply()
  t.strictSame((await db.admin.query('select b from plugin_restoring.thing')).rows, [{ b: 'kept' }])
})

t.test('a field becomes required when every record has a value, and not before', async (t) => {
  const plugin = evolvingPlugin(db, 'requiring')
  const table = 'plugin_requiring.thing'
  await plugin.become(thing({ a: text, b: maybe, price: { kind: 'money', optional: true } }))
  for (const owner of [tenant, other]) await insertRow(db, table, owner, { a: 'a' })
  t.throws(() => plugin.write(thing({ a: text, b: text })), /now required.*--backfill thing=/)
  plugin.writeOperations([{ op: 'makeRequired', entity: 'thing', field: 'b' }])
  await t.rejects(plugin.apply(), /nothing before it gives a value to the records/)
  plugin.forgetLast()

  const wanted = thing({ a: text, b: text, price: { kind: 'money', optional: true } })
  plugin.write(wanted, { backfill: [`thing=update thing set b = a where a <> 'a'`] })
  await t.rejects(
    plugin.apply(),
    /Field 'thing\.b' cannot be made required: there are records without a value/,
  )
  t.strictSame(
    (await names('plugin_requiring')).filter((name) => name.endsWith('required')),
    [],
    'nothing is left of the try',
  )
  await db.admin.query(`update ${table} set b = 'by hand'`)
  t.match(await plugin.apply(), { applied: ['0002-step'] })
  await t.rejects(insertRow(db, table, tenant, { a: 'a' }), { code: '23502' })

  const money: FieldSpec = { kind: 'money', default: { amount: '1.50', currency: 'INR' } }
  await plugin.become(thing({ a: text, b: text, price: money }))
  t.strictSame(
    (await db.admin.query(`select distinct price_amount::text, price_currency from ${table}`)).rows,
    [{ price_amount: '1.50', price_currency: 'INR' }],
  )
})

t.test('a field becomes unique when no tenant has a value twice, and not before', async (t) => {
  const plugin = evolvingPlugin(db, 'uniquing')
  const table = 'plugin_uniquing.thing'
  const ref: FieldSpec = { kind: 'ref', entity: 'thing', optional: true }
  await plugin.become(thing({ a: text, of: ref }))
  for (const owner of [tenant, tenant, other]) await insertRow(db, table, owner, { a: 'same' })
  plugin.write(thing({ a: { ...text, unique: true }, of: { ...ref, unique: true } }))
  await t.rejects(plugin.apply(), /Field 'thing\.a' cannot be made unique: a tenant has two records/)
  t.notOk((await names('plugin_uniquing')).includes('thing_a_key'), 'half an index is not left')
  await db.admin.query(`update ${table} set a = id::text where tenant_id = $1`, [tenant])
  await plugin.apply()
  await t.rejects(insertRow(db, table, other, { a: 'same' }), { code: '23505' })
  const fresh = evolvingPlugin(db, 'uniquefresh')
  await fresh.become(plugin.manifest.entities)
  t.strictSame(await names('plugin_uniquing'), await names('plugin_uniquefresh'))
  await plugin.become(thing({ a: text, of: ref }))
  await insertRow(db, table, other, { a: 'same' })
  t.ok((await names('plugin_uniquing')).includes('thing_of_idx'))
})

t.test('another kind is a new field, a backfill and a retired field', async (t) => {
  const plugin = evolvingPlugin(db, 'otherkind')
  const table = 'plugin_otherkind.thing'
  await plugin.become(thing({ a: text, size: text }))
  await insertRow(db, table, tenant, { a: 'a', size: '12' })
  await insertRow(db, table, other, { a: 'a', size: '13' })
  t.throws(() => plugin.write(thing({ a: text, size: { kind: 'int' } })), /Add a new field instead/)
  await plugin.become(thing({ a: text, length: { kind: 'int' } }), {
    drop: ['thing.size'],
    backfill: ['thing=update thing set length = size::integer where length is null'],
  })
  t.strictSame((await db.admin.query(`select length, size from ${table} order by 1`)).rows, [
    { length: 12, size: '12' },
    { length: 13, size: '13' },
  ])
})

t.test(
  'a field of its own table is added to a table that is in use, without a lock that lasts',
  async (t) => {
    const plugin = evolvingPlugin(db, 'adding')
    await plugin.become(thing({ a: text }))
    await insertRow(db, 'plugin_adding.thing', tenant, { a: 'a' })
    const entities = {
      ...thing(
        { a: text, b: { ...maybe, unique: true }, of: { kind: 'ref', entity: 'owner', optional: true } },
        [['a']],
      ),
      owner: entityOf({ thing: { kind: 'ref', entity: 'thing' } }),
    }
    await plugin.become(entities)
    const fresh = evolvingPlugin(db, 'addedfresh')
    await fresh.become(entities)
    t.strictSame(await names('plugin_adding'), await names('plugin_addedfresh'))
    const { rows } = await db.admin.query(
      `select conname from pg_constraint where connamespace = 'plugin_adding'::regnamespace and not convalidated`,
    )
    t.strictSame(rows, [])
  },
)
