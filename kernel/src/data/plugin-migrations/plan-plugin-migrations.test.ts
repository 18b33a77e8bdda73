import type { FieldSpec } from '@plinth/sdk'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { entityOf } from '../../../../tests/support/manifest.ts'
import { asOwner, evolvingPlugin, insertRow } from './evolving-plugin.fixture.ts'
import { planPluginMigrations } from './plan-plugin-migrations.ts'

const db = await testDatabase(t)
const text: FieldSpec = { kind: 'text', max: 100 }
const plugin = evolvingPlugin(db, 'planned')
const plan = () =>
  asOwner(db, (owner) =>
    planPluginMigrations(owner, db.access.rolePrefix, plugin.manifest, plugin.migrations),
  )

const everything = async () =>
  (
    await db.admin.query(
      `select 'c' as what, oid::bigint, xmin::text from pg_class union all select 'a', attrelid::bigint * 1000 + attnum, xmin::text from pg_attribute
       union all select 'r', oid::bigint, xmin::text from pg_authid where rolname ~ 'planned' union all select 'n', oid::bigint, xmin::text from pg_namespace order by 1, 2`,
    )
  ).rows

t.test('a first version is planned without a trace of it', async (t) => {
  plugin.write({ thing: entityOf({ a: text, b: { ...text, optional: true } }, { indexes: [['a']] }) })
  const before = await everything()
  t.match(await plan(), {
    plugin: 'planned',
    schema: 'plugin_planned',
    fresh: true,
    compatibility: 'compatible',
    destructive: false,
    operations: [
      { op: 'createEntity', sentence: "Makes the tables of the entity 'thing'.", rows: undefined },
    ],
  })
  t.strictSame(await everything(), before)
  await plugin.apply()
  t.match(await plan(), { fresh: false, compatibility: 'compatible', operations: { length: 0 } })
})

t.test(
  'a later version says for each operation what it locks, reads, loses and how it is undone',
  async (t) => {
    const tenants = [await db.addTenant('one'), await db.addTenant('two')]
    for (const tenant of tenants) await insertRow(db, 'plugin_planned.thing', tenant, { a: 'a' })
    plugin.write(
      {
        thing: entityOf(
          { c: { ...text, unique: true }, b: text, n: { kind: 'int', default: 1 } },
          { indexes: [['b']] },
        ),
      },
      { rename: ['thing.a=thing.c'], backfill: ['thing=update thing set b = c where b is null'] },
    )
    const before = await everything()
    const { operations, ...rest } = await plan()
    t.strictSame(await everything(), before)
    t.match(rest, {
      compatibility: 'exclusive',
      reasons: [/renameField 'thing\.a'/, /addUnique 'thing\.c'/, /makeRequired 'thing\.b'/],
      destructive: false,
    })
    const byOp = Object.fromEntries(operations.map((operation) => [operation.op, operation]))
    t.match(byOp, {
      renameField: {
        lock: 'ACCESS EXCLUSIVE',
        rows: 2,
        work: 'catalogue',
        compatibility: 'exclusive',
        undo: 'renameField',
      },
      addField: {
        lock: 'ACCESS EXCLUSIVE',
        work: 'catalogue',
        compatibility: 'compatible',
        ddl: [/add column "n" integer not null default '1'/],
      },
      addIndex: {
        lock: 'SHARE UPDATE EXCLUSIVE',
        work: 'scan',
        ddl: [/create index concurrently "thing_b_id_idx"/],
      },
      backfill: { lock: 'ROW EXCLUSIVE', work: 'scan', undo: undefined, compatibility: 'compatible' },
      makeRequired: {
        lock: 'ACCESS EXCLUSIVE',
        work: 'scan',
        ddl: [/not valid$/, /validate constraint/, /set not null/, /drop constraint/],
      },
      addUnique: { ddl: [/create unique index concurrently/, /unique using index/], undo: 'dropUnique' },
      retireIndex: { lock: undefined, ddl: [] },
    })
    await plugin.apply()
    plugin.write({ thing: entityOf({ c: { ...text, unique: true } }) }, { drop: ['thing.b', 'thing.n'] })
    await plugin.apply()
  },
)

t.test('what is lost for good is said', async (t) => {
  plugin.write({}, { drop: ['thing'] })
  await plugin.apply()
  plugin.writeOperations([{ op: 'dropEntity', entity: 'thing' }])
  t.match(await plan(), {
    destructive: true,
    operations: [{ op: 'dropEntity', destructive: true, rows: 2, undo: undefined }],
  })
})

t.test('what could not be applied is not planned', async (t) => {
  plugin.writeOperations([{ op: 'addIndex', entity: 'thing', fields: ['zz'] }])
  await t.rejects(plan(), /The tables of plugin 'planned' cannot be made/)
})
