import { randomBytes } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { type TestDatabase, testDatabase } from '../../../tests/support/database.ts'
import { logins, makeLogins, setLoginDefaults } from './bootstrap/login-roles.ts'
import { bootstrapDatabase } from './bootstrap.ts'

const db = await testDatabase(t)
const secret = 'one secret of thirty-two characters'

/** An empty database of the same server with roles of its own; both are gone after the test. */
async function emptyDatabase(t: { teardown(work: () => Promise<void>): void }, adminUrl = db.adminUrl) {
  const name = `boot_${randomBytes(5).toString('hex')}`
  const admin = await otherDatabase(db, 'postgres')
  await admin.query(`create database ${name}`)
  t.teardown(async () => {
    await admin.query(`drop database ${name} with (force)`)
    for (const login of logins) await admin.query(`drop role if exists ${name}_${login}`)
    await admin.end()
  })
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return { adminUrl: url.href, rolePrefix: name, secret }
}

async function otherDatabase(db: TestDatabase, name: string): Promise<pg.Client> {
  const url = new URL(db.adminUrl)
  url.pathname = `/${name}`
  const client = new pg.Client(url.href)
  await client.connect()
  return client
}

function listen() {
  const warnings: string[] = []
  return {
    warnings,
    info: () => undefined,
    warn: (_data: object, message: string) => void warnings.push(message),
  }
}

t.test('none of the three logins is a superuser, bypasses row policies, or makes databases', async (t) => {
  const { rows } = await db.admin.query(
    `select rolsuper, rolbypassrls, rolcreatedb, rolreplication, rolcreaterole, rolname from pg_roles
      where rolname like 'plinthtest\\_%' and rolcanlogin order by rolname`,
  )
  t.strictSame(
    rows.map((row) => row.rolname),
    ['plinthtest_data', 'plinthtest_kernel', 'plinthtest_owner'],
  )
  for (const row of rows) {
    t.notOk(row.rolsuper || row.rolbypassrls || row.rolcreatedb || row.rolreplication, row.rolname)
    t.equal(row.rolcreaterole, row.rolname === 'plinthtest_owner', row.rolname)
  }
})

t.test(
  'the data login reads approvals and tasks of its tenant alone, and adds to audit, outbox and history only',
  async (t) => {
    const data = await db.connect(db.access.data)
    const { rows } = await db.admin.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname in ('kernel', 'identity') order by 1`,
    )
    t.ok(rows.length >= 14, 'a positive control: there are tables')
    const decided = ['kernel.approval', 'kernel.approval_event', 'kernel.task']
    for (const { name } of rows) {
      const read = data.query(`select * from ${name}`)
      if (decided.includes(name)) t.equal((await read).rowCount, 0, `${name} without a tenant`)
      else await t.rejects(read, { code: '42501' }, `select from ${name}`)
      await t.rejects(data.query(`delete from ${name}`), { code: '42501' }, `delete from ${name}`)
    }
    for (const column of ['tenant_id', 'requested_by', 'record_version', 'steps', 'input'])
      await t.rejects(
        data.query(`update kernel.approval set ${column} = ${column}`),
        { code: '42501' },
        column,
      )
    await t.rejects(data.query('update kernel.approval_event set actor = actor'), { code: '42501' })
    for (const column of ['tenant_id', 'attempt', 'input', 'actor', 'run_at'])
      await t.rejects(data.query(`update kernel.task set ${column} = ${column}`), { code: '42501' }, column)
    const tenant = await db.addTenant('audited')
    const add = `insert into kernel.audit (tenant_id, actor, request_id, module, entity, record_id, action)
               values ($1, 'a', 'r', 'm', 'e', 'x', 'create')`
    await data.query(add, [tenant])
    await t.rejects(data.query(`update kernel.audit set actor = 'b'`), { code: '42501' })
  },
)

t.test('the kernel login reads every table of the kernel: none was forgotten in the grants', async (t) => {
  const { rows } = await db.admin.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname in ('kernel', 'identity') order by 1`,
  )
  const kernel = await db.connect(db.access.kernel)
  await t.rejects(kernel.query('select from kernel.tenant_key'), { code: '42501' }, 'but for the key')
  for (const { name } of rows.filter(({ name }) => name !== 'kernel.tenant_key'))
    await t.resolves(kernel.query(`select from ${name}`), name)
})

t.test('the kernel login reads the audit trail and cannot change it', async (t) => {
  const kernel = await db.connect(db.access.kernel)
  t.equal((await kernel.query('select * from kernel.audit')).rowCount, 1)
  await t.rejects(kernel.query('delete from kernel.audit'), { code: '42501' })
  await t.rejects(kernel.query(`update kernel.audit set actor = 'b'`), { code: '42501' })
  await t.rejects(kernel.query('truncate kernel.audit'), { code: '42501' })
})

t.test('no login may change settings by function, wait, or make a temporary table', async (t) => {
  for (const login of logins) {
    const client = await db.connect(db.access[login])
    await t.rejects(
      client.query(`select set_config('plinth.tenant_id', 'x', false)`),
      { code: '42501' },
      login,
    )
    await t.rejects(client.query(`update pg_settings set setting = '0' where name = 'statement_timeout'`), {
      code: '42501',
    })
    await t.rejects(client.query('select pg_sleep(1)'), { code: '42501' }, login)
    await t.rejects(client.query(`select query_to_xml('select 1', true, true, '')`), { code: '42501' }, login)
    await t.rejects(client.query('create temporary table x (y int)'), { code: '42501' }, login)
    await t.rejects(client.query('create table public.x (y int)'), { code: '42501' }, login)
  }
})

t.test('what the control plane needs of these functions it has', async (t) => {
  const kernel = await db.connect(db.access.kernel)
  await kernel.query(`select pg_notify('plinth_config', '{}')`)
  const { rows } = await kernel.query(
    'select count(*)::int as count from pg_stat_activity where pid = pg_backend_pid()',
  )
  t.strictSame(rows, [{ count: 1 }])
  const data = await db.connect(db.access.data)
  await t.rejects(data.query(`select pg_notify('plinth_config', '{}')`), { code: '42501' })
})

t.test('the data login cannot become another login', async (t) => {
  const data = await db.connect(db.access.data)
  for (const role of ['plinthtest_owner', 'plinthtest_kernel', 'postgres']) {
    await t.rejects(data.query(`set role ${role}`), { code: '42501' }, role)
    await t.rejects(data.query(`set session authorization ${role}`), { code: '42501' }, role)
  }
})

t.test('the data login starts with its limits, and DISCARD ALL brings them back', async (t) => {
  const data = await db.connect(db.access.data)
  await data.query('set statement_timeout = 0; set search_path = pg_temp')
  await data.query('discard all')
  const { rows } = await data.query(
    `select current_setting('statement_timeout') as statement, current_setting('search_path') as path,
            current_setting('idle_in_transaction_session_timeout') as idle`,
  )
  t.strictSame(rows, [{ statement: '10s', path: 'pg_catalog, pg_temp', idle: '5s' }])
})

t.test('a session that ends or changes is announced with its id', async (t) => {
  const kernel = await db.connect(db.access.kernel)
  const heard: unknown[] = []
  kernel.on('notification', (message) => heard.push(message.payload && JSON.parse(message.payload)))
  await kernel.query('listen plinth_config')
  await kernel.query(
    `insert into "user" (id, name, email, "emailVerified") values ('u', 'U', 'u@example.com', false)`,
  )
  await kernel.query(
    `insert into session (id, "expiresAt", token, "updatedAt", "userId") values ('s', now(), 't', now(), 'u')`,
  )
  await kernel.query('update session set "expiresAt" = now()')
  await kernel.query('delete from session')
  await kernel.query('select 1')
  t.strictSame(heard, [
    { kind: 'session', id: 's' },
    { kind: 'session', id: 's' },
  ])
})

t.test('logins that installations in other databases set up at the same moment are no failure', async (t) => {
  const { rolePrefix, adminUrl } = await emptyDatabase(t)
  const admins = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const client = new pg.Client(adminUrl)
      await client.connect()
      return client
    }),
  )
  await makeLogins(admins[0] ?? db.admin, secret, rolePrefix)
  for (let round = 0; round < 3; round += 1)
    t.same(await Promise.all(admins.map((admin) => setLoginDefaults(admin, rolePrefix))), [
      [],
      [],
      [],
      [],
      [],
      [],
    ])
  await Promise.all(admins.map((admin) => admin.end()))
})

t.test('two kernels that start at once on an empty database both succeed', async (t) => {
  const place = await emptyDatabase(t)
  const log = listen()
  const [first, second] = await Promise.all([
    bootstrapDatabase({ ...place, log }),
    bootstrapDatabase({ ...place, log }),
  ])
  t.strictSame(first, second)
  t.strictSame(log.warnings, [])
})

t.test('another secret is refused with a sentence, and harms nothing', async (t) => {
  const place = await emptyDatabase(t)
  const log = listen()
  const access = await bootstrapDatabase({ ...place, log })
  await t.rejects(bootstrapDatabase({ ...place, secret: `${secret}!`, log }), {
    message: /^This database was set up with another PLINTH_SECRET\. .*another PLINTH_ROLE_PREFIX\.$/,
  })
  const client = new pg.Client(access.kernel)
  await client.connect()
  await client.end()
})

t.test('a database user that is no superuser sets up all it can and warns of the rest', async (t) => {
  const place = await emptyDatabase(t)
  const admin = await otherDatabase(db, place.rolePrefix)
  const modest = `${place.rolePrefix}_modest`
  await admin.query(`create role ${modest} login createrole password 'modest'`)
  await admin.query(`alter database ${place.rolePrefix} owner to ${modest}`)
  t.teardown(async () => {
    await admin.query(`alter database ${place.rolePrefix} owner to ${new URL(db.adminUrl).username}`)
    await admin.query(`drop owned by ${modest} cascade`)
    for (const login of logins) await admin.query(`drop owned by ${place.rolePrefix}_${login} cascade`)
    await admin.query(`drop role ${logins.map((login) => `${place.rolePrefix}_${login}`).join(', ')}`)
    await admin.query(`drop role ${modest}`)
    await admin.end()
  })
  const url = new URL(place.adminUrl)
  url.username = modest
  url.password = 'modest'
  for (let start = 0; start < 2; start++) {
    const log = listen()
    await bootstrapDatabase({ ...place, adminUrl: url.href, log })
    t.match(log.warnings.join('\n'), /functions that plugin SQL must not call/)
  }
})

t.test('a database user that may not set it up is told so', async (t) => {
  const place = await emptyDatabase(t)
  const url = new URL(place.adminUrl)
  url.username = 'plinthtest_kernel'
  url.password = String(db.access.kernel.password)
  await t.rejects(bootstrapDatabase({ ...place, adminUrl: url.href, log: listen() }), {
    message:
      "The database user 'plinthtest_kernel' may not set up Plinth: it must be a superuser, or have CREATEROLE and own the database.",
  })
})

t.test('a role that exists and is too strong is refused', async (t) => {
  const place = await emptyDatabase(t)
  await db.admin.query(`create role ${place.rolePrefix}_data login bypassrls`)
  await t.rejects(bootstrapDatabase({ ...place, log: listen() }), {
    message: /_data has rights that would defeat/,
  })
})

t.test('a role prefix that could collide is refused', async (t) => {
  const place = await emptyDatabase(t)
  for (const rolePrefix of ['Plinth', 'plinth_plugin', 'x'.repeat(21), 'a"b', '']) {
    await t.rejects(bootstrapDatabase({ ...place, rolePrefix, log: listen() }), {
      message: /cannot start role names/,
    })
  }
})
