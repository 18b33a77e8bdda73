import { randomUUIDv7 } from 'node:crypto'
import type { FieldSpecs, Manifest } from '@plinth/sdk'
import fc from 'fast-check'
import pg from 'pg'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { entityOf, ledger, manifestOf } from '../../../../tests/support/manifest.ts'
import type { DefencesOff } from '../../defences.ts'
import { anyEntities, laterEntities } from './any-entities.fixture.ts'
import { applyPluginMigrations } from './apply-plugin-migrations.ts'
import { diffMigrations } from './diff-migrations.ts'
import { foldMigrations } from './fold-operations.ts'
import type { PluginMigration } from './operations.ts'

const db = await testDatabase(t)
const prefix = db.access.rolePrefix

/** As `plinth migrate` would write them: one migration for each version of the manifest. */
function migrationsOf(...versions: Manifest[]): PluginMigration[] {
  const migrations: PluginMigration[] = []
  for (const [index, manifest] of versions.entries()) {
    const shape = foldMigrations(migrations)
    migrations.push({ name: `000${index + 1}-step`, operations: diffMigrations(shape, manifest).operations })
  }
  return migrations
}

async function asOwner<T>(work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client(db.access.owner)
  await owner.connect()
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}

const apply = (manifest: Manifest, migrations: readonly PluginMigration[]) =>
  asOwner((owner) => applyPluginMigrations(owner, prefix, manifest, migrations))

async function schemaExists(name: string): Promise<boolean> {
  const { rows } = await db.admin.query('select from pg_namespace where nspname = $1', [name])
  return rows.length > 0
}

t.test('tables, keys and indexes are made, and a second time nothing is', async (t) => {
  const migrations = migrationsOf(ledger)
  t.match(await apply(ledger, migrations), {
    role: 'plinthtest_plugin_ledger',
    schema: 'plugin_ledger',
    applied: ['0001-step'],
  })
  t.match(await apply(ledger, migrations), { applied: [] })
  const { rows } = await db.admin.query(
    `select tablename from pg_tables where schemaname = 'plugin_ledger' and tableowner = 'plinthtest_owner' order by 1`,
  )
  t.strictSame(
    rows.map((row) => row.tablename),
    ['account', 'journal_entry', 'journal_entry_lines', 'number_series'],
  )
})

t.test(
  'the kernel login cannot read a plugin table, nor can the data login before it takes on the role',
  async (t) => {
    for (const login of ['kernel', 'data'] as const) {
      const client = await db.connect(db.access[login])
      for (const table of ['account', 'journal_entry', 'journal_entry_lines', 'number_series']) {
        await t.rejects(
          client.query(`select from plugin_ledger.${table}`),
          { code: '42501' },
          `${login} ${table}`,
        )
      }
    }
    const kernel = await db.connect(db.access.kernel)
    await t.rejects(kernel.query('set role plinthtest_plugin_ledger'), { code: '42501' })
    const data = await db.connect(db.access.data)
    await data.query('set role plinthtest_plugin_ledger')
    t.equal((await data.query('select from plugin_ledger.account')).rowCount, 0, 'a positive control')
  },
)

t.test('a plugin role touches its own schema and nothing else, and can make nothing', async (t) => {
  const other = manifestOf('other', { thing: entityOf({ a: { kind: 'text', max: 9 } }) })
  await apply(other, migrationsOf(other))
  const data = await db.connect(db.access.data)
  await data.query('set role plinthtest_plugin_other')
  const refused = [
    'select from plugin_ledger.account',
    'select from kernel.tenant',
    'insert into kernel.audit (tenant_id) values (null)',
    'select from identity.session',
    'create table plugin_other.mine (a int)',
    'create function plugin_other.f() returns int language sql return 1',
    'truncate plugin_other.thing',
    'alter table plugin_other.thing disable row level security',
    'create policy everything on plugin_other.thing using (true)',
    'alter role plinthtest_plugin_other bypassrls',
    'create temporary table x (a int)',
  ]
  for (const text of refused) await t.rejects(data.query(text), { code: '42501' }, text)
})

t.test('keys are per tenant: the same code in two tenants, no reference into another', async (t) => {
  const [one, two] = [await db.addTenant('key-one'), await db.addTenant('key-two')]
  const data = await db.connect(db.access.data)
  await data.query('set role plinthtest_plugin_ledger')
  const as = (tenant: string) => data.query(`set plinth.tenant_id = '${tenant}'`)
  const add = (id: string, code: string, parent: string | null) =>
    data.query(
      `insert into plugin_ledger.account (id, version, created_at, created_by, updated_at, updated_by, code, name, parent)
       values ($1, 1, now(), 'u', now(), 'u', $2, 'n', $3)`,
      [id, code, parent],
    )
  const [first, second, third] = [randomUUIDv7(), randomUUIDv7(), randomUUIDv7()]
  await as(one)
  await add(first, '1000', null)
  await t.rejects(add(randomUUIDv7(), '1000', null), { code: '23505' })
  await as(two)
  await add(second, '1000', null)
  await t.rejects(add(randomUUIDv7(), '1001', first), { code: '23503' })
  await add(third, '1002', second)
  await t.rejects(data.query('delete from plugin_ledger.account where id = $1', [second]), { code: '23001' })
  await t.rejects(data.query('update plugin_ledger.account set tenant_id = $1', [one]), { code: '42501' })
  await t.rejects(
    data.query(
      'insert into plugin_ledger.number_series (tenant_id, series, period, last) values ($1, $2, $2, 1)',
      [one, 'x'],
    ),
    { code: '42501' },
  )
})

t.test('a later version keeps the rows that are there, with defaults in the new columns', async (t) => {
  const version = (fields: FieldSpecs) => manifestOf('grown', { thing: entityOf(fields) })
  const first = version({ a: { kind: 'text', max: 9 } })
  const second = version({
    a: { kind: 'text', max: 9, optional: true },
    b: { kind: 'text', max: 9, default: "it's\\" },
    n: { kind: 'int', default: 7 },
    price: { kind: 'money', default: { amount: '1.50', currency: 'INR' } },
    state: { kind: 'state', transitions: { open: [] }, initial: 'open' },
    lines: { kind: 'lines', fields: { thing: { kind: 'ref', entity: 'thing' } } },
  })
  const third = version({
    ...second.entities['thing']?.fields,
    lines: {
      kind: 'lines',
      fields: { thing: { kind: 'ref', entity: 'thing' }, q: { kind: 'decimal', optional: true } },
    },
  })
  await apply(first, migrationsOf(first))
  const tenant = await db.addTenant('grown')
  await db.admin.query(
    `insert into plugin_grown.thing (tenant_id, id, version, created_at, created_by, updated_at, updated_by, a)
     values ($1, $1, 1, now(), 'u', now(), 'u', 'old')`,
    [tenant],
  )
  t.strictSame((await apply(third, migrationsOf(first, second, third))).applied, ['0002-step', '0003-step'])
  const { rows } = await db.admin.query(
    'select a, b, n, price_amount::text, price_currency, state from plugin_grown.thing',
  )
  t.strictSame(rows, [
    { a: 'old', b: "it's\\", n: 7, price_amount: '1.50', price_currency: 'INR', state: 'open' },
  ])
  await db.admin.query(
    `insert into plugin_grown.thing (tenant_id, id, version, created_at, created_by, updated_at, updated_by, a)
     values ($1, gen_random_uuid(), 1, now(), 'u', now(), 'u', 'by the first version')`,
    [tenant],
  )
  t.equal((await db.admin.query('select from plugin_grown.thing where n = 7')).rowCount, 2)
})

t.test('what has run must stay as it was', async (t) => {
  const changed = (migrations: PluginMigration[]) =>
    migrations.map((migration) => ({ ...migration, operations: [...migration.operations].reverse() }))
  await t.rejects(apply(ledger, changed(migrationsOf(ledger))), {
    message: /'ledger' cannot be made\. Its migration '0001-step' has already run and was changed since/,
  })
  const [first] = migrationsOf(ledger)
  const before = { name: '0000-before', operations: [] }
  await t.rejects(apply(ledger, first ? [before, first] : []), {
    message: /'0000-before' was added before '0001-step'/,
  })
  const formatted = JSON.parse(
    JSON.stringify(migrationsOf(ledger), (_key, value) =>
      value && typeof value === 'object' && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    ),
  )
  t.match(await apply(ledger, formatted), { applied: [] }, 'the order of keys is no change')
})

t.test(
  'migrations that do not give what the manifest declares are refused, and nothing is made',
  async (t) => {
    const wanted = manifestOf('lacking', {
      thing: entityOf({ a: { kind: 'text', max: 9 } }),
      other: entityOf({ a: { kind: 'text', max: 9 } }, { indexes: [['a']] }),
    })
    const given = manifestOf('lacking', { thing: entityOf({ b: { kind: 'text', max: 9 } }) })
    await t.rejects(apply(wanted, migrationsOf(given)), {
      message:
        /^The tables of plugin 'lacking' cannot be made\. Field 'thing\.b' is gone .* Field 'thing\.a' is new and required.* Its migrations lack createEntity 'other'\.$/,
    })
    const [first, second] = migrationsOf(given, given)
    await t.rejects(apply(given, second && first ? [second, first] : []), {
      message: /'0001-step' is out of order/,
    })
    t.equal(await schemaExists('plugin_lacking'), false)
  },
)

t.test('a migration that fails half-way leaves nothing', async (t) => {
  const wanted = manifestOf('half', { thing: entityOf({ a: { kind: 'ref', entity: 'missing' } }) })
  await t.rejects(apply(wanted, migrationsOf(wanted)), {
    message: /^The tables of plugin 'half' cannot be made\. .*relation "plugin_half\.missing" does not exist/,
  })
  t.equal(await schemaExists('plugin_half'), false)
})

t.test('two kernels that start at once run each migration once', async (t) => {
  const wanted = manifestOf('twice', { thing: entityOf({ a: { kind: 'text', max: 9 } }) })
  const both = await Promise.all([apply(wanted, migrationsOf(wanted)), apply(wanted, migrationsOf(wanted))])
  t.strictSame(
    both.flatMap((one) => one.applied),
    ['0001-step'],
  )
})

t.test('a schema that somebody opened is refused at the next start', async (t) => {
  const wanted = manifestOf('opened', { thing: entityOf({ a: { kind: 'text', max: 9 } }) })
  await apply(wanted, migrationsOf(wanted))
  const [one, two] = [await db.addTenant('opened-one'), await db.addTenant('opened-two')]
  await db.admin.query(
    `insert into plugin_opened.thing (tenant_id, id, version, created_at, created_by, updated_at, updated_by, a)
     values ($1, $1, 1, now(), 'u', now(), 'u', 'secret')`,
    [one],
  )
  const data = await db.connect(db.access.data)
  await data.query(`set role plinthtest_plugin_opened; set plinth.tenant_id = '${two}'`)
  const stolen = async () => (await data.query('select a from plugin_opened.thing')).rows
  t.strictSame(await stolen(), [])
  await db.admin.query('create policy everything on plugin_opened.thing using (true)')
  await t.rejects(apply(wanted, migrationsOf(wanted)), {
    message: /Its schema is not as it must be\. thing has policies other than the one of the kernel/,
  })
  const off: DefencesOff = new Set(['catalogueCheck'])
  await asOwner((owner) => applyPluginMigrations(owner, prefix, wanted, migrationsOf(wanted), {}, off))
  t.strictSame(await stolen(), [{ a: 'secret' }], 'without the check it starts, and the attack succeeds')
  await db.admin.query('drop policy everything on plugin_opened.thing')
})

t.test('any entities and any later version of them pass the check of the catalogue', async (t) => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(anyEntities, anyEntities, async (one, two) => {
      const name = `random${run++}`
      const [before, after] = [manifestOf(name, one), manifestOf(name, laterEntities(one, two))]
      await apply(before, migrationsOf(before))
      await apply(after, migrationsOf(before, after))
    }),
    { numRuns: 10 },
  )
  t.equal(run, 10)
})

t.test('the roles of the plugins are put away', async (t) => {
  const { rows } = await db.admin.query<{ role: string }>(
    `select rolname as role from pg_roles where rolname like 'plinthtest\\_plugin\\_random%'`,
  )
  for (const { role } of rows) {
    await db.admin.query(`drop owned by ${role}`)
    await db.admin.query(`drop role ${role}`)
  }
  t.ok(rows.length > 0)
})
