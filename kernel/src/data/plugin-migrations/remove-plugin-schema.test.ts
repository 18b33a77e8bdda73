import { randomUUIDv7 } from 'node:crypto'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { ledger, manifestOf } from '../../../../tests/support/manifest.ts'
import { asOwner, evolvingPlugin } from './evolving-plugin.fixture.ts'
import { removePluginSchema } from './remove-plugin-schema.ts'

const db = await testDatabase(t)
const name = `gone${randomUUIDv7().slice(-6)}`
const entities = manifestOf(name, ledger.entities).entities
const remove = () => asOwner(db, (owner) => removePluginSchema(owner, db.access.rolePrefix, name))

/** Everything anywhere in the server's catalogue, or among the kernel's rows, that has the plugin's name in it. */
async function traces(): Promise<string[]> {
  const { rows } = await db.admin.query<{ trace: string }>(
    `select 'namespace ' || nspname as trace from pg_namespace where nspname ~ $1
     union all select 'role ' || rolname from pg_authid where rolname ~ $1
     union all select 'relation ' || c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname ~ $1
     union all select 'acl ' || oid::regprocedure from pg_proc where proacl::text ~ $1
     union all select 'acl ' || oid::regclass from pg_class where relacl::text ~ $1
     union all select 'acl ' || nspname from pg_namespace where nspacl::text ~ $1
     union all select 'member' from pg_auth_members where roleid not in (select oid from pg_authid)
     union all select 'default ' || oid from pg_default_acl where defaclacl::text ~ $1
     union all select 'migration ' || m.name from kernel.plugin_migration m where plugin = $1
     union all select 'step' from kernel.plugin_migration_step where plugin = $1
     union all select 'backfill' from kernel.plugin_backfill where plugin = $1`,
    [name],
  )
  return rows.map((row) => row.trace)
}

t.test('a plugin that is removed leaves a receipt and nothing else', async (t) => {
  const tenants = [await db.addTenant('one'), await db.addTenant('two')]
  const plugin = evolvingPlugin(db, name)
  await plugin.become(entities)
  for (const tenant of tenants) {
    await db.admin.query(
      `insert into plugin_${name}.account (tenant_id, id, version, created_at, created_by, updated_at, updated_by, code, name)
       select $1, gen_random_uuid(), 1, now(), 'u', now(), 'u', n::text, 'n' from generate_series(1, 50) n`,
      [tenant],
    )
  }
  await db.admin.query(
    `insert into kernel.plugin_backfill (plugin, migration, step, tenant_id) values ($1, 'x', 1, $2)`,
    [name, tenants[0]],
  )
  t.not((await traces()).length, 0, 'a positive control')
  const receipt = await remove()
  t.match(receipt, {
    module: name,
    schema: `plugin_${name}`,
    role: `plinthtest_plugin_${name}`,
    rows: 100,
    migrations: 1,
    tables: [
      { table: 'account', rows: 100 },
      { table: 'journal_entry', rows: 0 },
      { table: 'journal_entry_lines', rows: 0 },
      { table: 'number_series', rows: 0 },
    ],
  })
  t.ok(receipt.bytes >= 8192, `${receipt.bytes} bytes`)
  t.strictSame(await traces(), [])
})

t.test('a second time there is nothing to remove, and the plugin can be installed again', async (t) => {
  t.match(await remove(), { tables: [], rows: 0, bytes: 0, migrations: 0, role: undefined })
  const plugin = evolvingPlugin(db, name)
  t.match(await plugin.become(entities), { applied: ['0001-step'] })
  t.match(await remove(), { rows: 0, role: `plinthtest_plugin_${name}` })
  t.strictSame(await traces(), [])
})

t.test('what others hold is waited for a bounded time and then left whole', async (t) => {
  const plugin = evolvingPlugin(db, name)
  await plugin.become(entities)
  await db.admin.query(`begin; lock table plugin_${name}.number_series in access share mode`)
  const impatient = { lockTimeoutMs: 50, lockDeadlineMs: 200 }
  await t.rejects(
    asOwner(db, (owner) => removePluginSchema(owner, db.access.rolePrefix, name, impatient)),
    { code: '55P03' },
  )
  await db.admin.query('rollback')
  t.match(await plugin.apply(), { applied: [] }, 'it is as it was')
  t.match(await remove(), { tables: { length: 4 } })
  t.strictSame(await traces(), [])
})
