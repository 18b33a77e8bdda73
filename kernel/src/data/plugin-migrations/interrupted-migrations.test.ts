import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FieldSpec } from '@plinth/sdk'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { entityOf } from '../../../../tests/support/manifest.ts'
import { asOwner, type EvolvingPlugin, evolvingPlugin, insertRow } from './evolving-plugin.fixture.ts'
import { planPluginMigrations } from './plan-plugin-migrations.ts'

const db = await testDatabase(t)
// Within one transaction pg_stat_activity stays as it was first seen, so what is looked at has a connection of its own.
const watcher = await db.connect({ connectionString: db.adminUrl })
const text: FieldSpec = { kind: 'text', max: 100 }
const count: FieldSpec = { kind: 'int' }
const folder = await mkdtemp(join(tmpdir(), 'plinth-migrations-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const script = fileURLToPath(new URL('./run-in-child.fixture.ts', import.meta.url))

/** Applies in another process, and kills it with SIGKILL as soon as `reached` says so. */
async function killedWhen(plugin: EvolvingPlugin, reached: () => Promise<boolean>): Promise<void> {
  const file = join(folder, `${plugin.manifest.name}.json`)
  const { manifest, migrations } = plugin
  const pace = { lockDeadlineMs: 60_000 }
  await writeFile(file, JSON.stringify({ access: db.access, manifest, migrations, pace }))
  const child = spawn(process.execPath, [script, file], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  while (child.exitCode === null && !(await reached())) await sleep(5)
  child.kill('SIGKILL')
  const [, signal] = await ended
  if (signal !== 'SIGKILL') throw new Error('The migration ended before it was killed.')
  // What PostgreSQL was doing for it is over when its connections are.
  for (let left = 1; left > 0; await sleep(10)) left = await countOf(otherConnections)
}

const otherConnections = `select count(*)::int as n from pg_stat_activity
  where datname = current_database() and application_name in ('plinth-owner', 'plinth-backfill')`

const countOf = async (sql: string): Promise<number> =>
  (await watcher.query<{ n: number }>(sql)).rows[0]?.n ?? 0

t.test('a backfill that was killed goes on where it stopped, and does no tenant twice', async (t) => {
  const plugin = evolvingPlugin(db, 'killedfill')
  await plugin.become({ thing: entityOf({ a: text, n: count }) })
  const tenants: string[] = []
  for (let index = 0; index < 60; index++) tenants.push(await db.addTenant(`fill-${index}`))
  for (const tenant of tenants) {
    await insertRow(db, 'plugin_killedfill.thing', tenant, { a: 'x', n: 0 })
  }
  plugin.write(plugin.manifest.entities, { backfill: ['thing=update thing set n = n + 1'] })
  const done = `select count(*)::int as n from kernel.plugin_backfill where plugin = 'killedfill'`
  // The last tenants are held up, so that the kill comes in the middle.
  const held = tenants.toSorted().slice(30)
  await db.admin.query('begin')
  await db.admin.query('select from plugin_killedfill.thing where tenant_id = any ($1) for update', [held])
  await killedWhen(plugin, async () => (await countOf(done)) === 30)
  await db.admin.query('rollback')
  const late = await db.addTenant('late')
  t.equal(await countOf(done), 30)
  t.match(await plugin.apply(), { applied: ['0002-step'] })
  const { rows } = await db.admin.query(
    'select n, count(*)::int as things from plugin_killedfill.thing group by 1',
  )
  t.strictSame(rows, [{ n: 1, things: 60 }])
  t.equal(await countOf(done), 0, 'nothing is kept of a migration that is complete')
  t.ok(late)
})

t.test('a migration that was killed between two steps is completed by the next start', async (t) => {
  const plugin = evolvingPlugin(db, 'killedsteps')
  await plugin.become({ thing: entityOf({ a: text, b: { ...text, optional: true } }) })
  const tenant = await db.addTenant('steps')
  await insertRow(db, 'plugin_killedsteps.thing', tenant, { a: 'x' })
  const before = evolvingPlugin(db, 'killedsteps')
  before.write(plugin.manifest.entities)
  plugin.write(
    {
      thing: entityOf(
        {
          a: { ...text, unique: true },
          b: text,
          c: { kind: 'int', default: 1 },
          of: { kind: 'ref', entity: 'thing', optional: true },
        },
        { indexes: [['b'], ['c']] },
      ),
    },
    { backfill: ['thing=update thing set b = a where b is null'] },
  )
  const steps = `select coalesce(max(done), 0)::int as n from kernel.plugin_migration_step where plugin = 'killedsteps'`
  const waiting = `select count(*)::int as n from pg_stat_activity
    where datname = current_database() and application_name = 'plinth-owner' and wait_event_type = 'Lock'`
  await db.admin.query('begin; select from plugin_killedsteps.thing for update')
  await killedWhen(plugin, async () => (await countOf(waiting)) > 0)
  await db.admin.query('rollback')
  t.equal(await countOf(steps), 0)
  t.match(await before.apply(), { applied: [] }, 'the version before still starts')

  // An old snapshot keeps a concurrent index build from ending.
  const report = await db.connect({ connectionString: db.adminUrl })
  await report.query('begin isolation level repeatable read; select 1')
  const halfBuilt = `select count(*)::int as n from pg_index i join pg_class x on x.oid = i.indexrelid
    where x.relnamespace = 'plugin_killedsteps'::regnamespace and not i.indisvalid`
  await killedWhen(plugin, async () => (await countOf(halfBuilt)) > 0)
  await report.query('rollback')
  t.equal(await countOf(halfBuilt), 1)
  t.not(await countOf(steps), 0)
  t.match(await before.apply(), { applied: [] }, 'the version before still starts')

  t.match(await plugin.apply(), { applied: ['0002-step'] })
  const fresh = evolvingPlugin(db, 'killedfresh')
  await fresh.become(plugin.manifest.entities)
  t.strictSame(await indexes('plugin_killedsteps'), await indexes('plugin_killedfresh'))
  t.strictSame((await db.admin.query('select a, b, c from plugin_killedsteps.thing')).rows, [
    { a: 'x', b: 'x', c: 1 },
  ])
})

async function indexes(schema: string): Promise<string[]> {
  const { rows } = await db.admin.query<{ index: string }>(
    `select x.relname || ' ' || i.indisvalid as index from pg_index i join pg_class x on x.oid = i.indexrelid
      where x.relnamespace = to_regnamespace($1) order by 1`,
    [schema],
  )
  return rows.map((row) => row.index)
}

t.test('half an index that a crash left is built again', async (t) => {
  const plugin = evolvingPlugin(db, 'halfindex')
  await plugin.become({ thing: entityOf({ a: text }) })
  await insertRow(db, 'plugin_halfindex.thing', await db.addTenant('half'), { a: 'x' })
  plugin.write({ thing: entityOf({ a: text }, { indexes: [['a']] }) })
  await db.admin.query('create index thing_a_id_idx on plugin_halfindex.thing (tenant_id, a, id)')
  await db.admin.query(
    `update pg_index set indisvalid = false where indexrelid = 'plugin_halfindex.thing_a_id_idx'::regclass`,
  )
  await plugin.apply()
  t.strictSame(await indexes('plugin_halfindex'), [
    'number_series_pkey true',
    'thing_a_id_idx true',
    'thing_pkey true',
  ])
})

t.test(
  'a migration waits for its locks in short tries, and gives up without having changed anything',
  async (t) => {
    const plugin = evolvingPlugin(db, 'patient')
    await plugin.become({ thing: entityOf({ a: text }) })
    const tenant = await db.addTenant('patient')
    await insertRow(db, 'plugin_patient.thing', tenant, { a: 'x' })
    plugin.write({ thing: entityOf({ a: text, b: { ...text, optional: true } }) })
    const report = await db.connect(db.access.data)
    await report.query('set role plinthtest_plugin_patient')
    await report.query('begin')
    await report.query('select from plugin_patient.thing')
    const migrating = plugin.apply({ pace: { lockTimeoutMs: 100, lockDeadlineMs: 800 } })
    const refused = t.rejects(migrating, /lock timeout/)
    const request = await db.connect(db.access.data)
    await request.query(
      `set role plinthtest_plugin_patient; set plinth.tenant_id = '${tenant}'; set statement_timeout = '3s'`,
    )
    for (let asked = 0; asked < 10; asked++) {
      t.equal(
        (await request.query('select a from plugin_patient.thing')).rowCount,
        1,
        'a request is answered meanwhile',
      )
      await sleep(30)
    }
    await refused
    await report.query('rollback')
    t.match(await plugin.apply(), { applied: ['0002-step'] })
  },
)

t.test('a migration that was changed after it began is refused', async (t) => {
  const plugin = evolvingPlugin(db, 'changed')
  await plugin.become({ thing: entityOf({ a: text }) })
  const tenant = await db.addTenant('changed')
  for (const a of ['same', 'same']) await insertRow(db, 'plugin_changed.thing', tenant, { a })
  plugin.write({ thing: entityOf({ a: { ...text, unique: true }, b: { ...text, optional: true } }) })
  await t.rejects(
    plugin.apply(),
    /^The tables of plugin 'changed' cannot be made\. In '0002-step': Field 'thing\.a' cannot be made unique/,
  )
  plugin.forgetLast()
  plugin.write({ thing: entityOf({ a: text, c: { ...text, optional: true } }) })
  await t.rejects(plugin.apply(), /Its migration '0002-step' has begun to run and was changed since/)
})

t.test('a backfill sees and changes one tenant of one plugin, and nothing it should not', async (t) => {
  const plugin = evolvingPlugin(db, 'vetted')
  await plugin.become({ thing: entityOf({ a: text }) })
  for (const sql of [
    `update thing set a = set_config('plinth.tenant_id', 'x', true)`,
    'delete from thing',
    'update kernel.tenant set name = 1',
    'update thing set tenant_id = null',
    `update thing set a = 'x'; update thing set a = 'y'`,
  ]) {
    plugin.writeOperations([{ op: 'backfill', entity: 'thing', sql }])
    await t.rejects(plugin.apply(), /The tables of plugin 'vetted' cannot be made\. In '0002-step'/, sql)
    const plan = asOwner(db, (owner) =>
      planPluginMigrations(owner, db.access.rolePrefix, plugin.manifest, plugin.migrations),
    )
    await t.rejects(plan, /The tables of plugin 'vetted' cannot be made\. In '0002-step'/, sql)
    plugin.forgetLast()
  }
})

t.test('where tenants must be signed, backfills and plans sign them', async (t) => {
  const plugin = evolvingPlugin(db, 'signed')
  await plugin.become({ thing: entityOf({ a: text }) })
  const tenant = await db.addTenant('signed')
  await insertRow(db, 'plugin_signed.thing', tenant, { a: 'x' })
  const owner = await db.connect(db.access.owner)
  await owner.query(`
    create table if not exists kernel.tenant_key (key bytea);
    insert into kernel.tenant_key (key) values (sha256('k'));
    create or replace function kernel.tenant_id() returns uuid language plpgsql stable parallel safe security definer as $$
    declare value text := current_setting('plinth.tenant_id', true); k bytea;
    begin
      if coalesce(value, '') = '' then return null; end if;
      select key into k from kernel.tenant_key;
      if substr(value, 38) = encode(sha256(k || sha256(k || convert_to(left(value, 36) || pg_backend_pid()::text, 'UTF8'))), 'hex')
      then return left(value, 36)::uuid; end if;
      raise exception 'not signed';
    end $$`)
  plugin.write(plugin.manifest.entities, { backfill: [`thing=update thing set a = a || '!'`] })
  const plan = await asOwner(db, (client) =>
    planPluginMigrations(client, db.access.rolePrefix, plugin.manifest, plugin.migrations),
  )
  t.match(plan.operations, [{ op: 'backfill', rows: 1 }])
  t.match(await plugin.apply(), { applied: ['0002-step'] })
  t.strictSame((await db.admin.query('select a from plugin_signed.thing')).rows, [{ a: 'x!' }])
})
