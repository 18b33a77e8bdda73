// The pool: who gets which connection, and what happens when there is none.
import t from 'tap'
import { prepared } from './statement.ts'
import { entity, storeFixture } from './store-fixture.ts'
import { openTenantConnections } from './tenant-connections.ts'

const fixture = await storeFixture(t, { item: entity({ name: { kind: 'text' } }) }, { max: 2 })
const { connections, role, tenant, other } = fixture
for (const owner of [tenant, other]) {
  await fixture.unit((u) => fixture.store('item').create(u, { name: owner }), { tenant: owner })
}

// What the lockdown takes away and this test needs.
await fixture.database.admin.query(
  `GRANT EXECUTE ON FUNCTION pg_sleep(double precision), pg_prepared_statement() TO ${role}`,
)

// Without a tenant in the statement: only the binding decides whose rows these are.
const names = prepared('SELECT name FROM plugin_trial.item')([])
const backend = prepared('SELECT pg_backend_pid()')([])
const sleep = prepared('SELECT pg_sleep($1)')
const quiet = { info: () => undefined, warn: () => undefined }

t.test('a read sees the rows of its tenant alone, whoever had the connection before', async (t) => {
  const reads = Array.from({ length: 200 }, (_, index) => (index % 3 === 0 ? other : tenant))
  const answers = await Promise.all(reads.map((owner) => connections.read(role, owner, names)))
  t.same(
    answers.map(({ rows }) => rows),
    reads.map((owner) => [[owner]]),
  )
  t.ok(connections.stats().open <= 2)
})

t.test('a tenant keeps its connection while there are others', async (t) => {
  const own = openTenantConnections({ connection: fixture.database.access.data, max: 2, log: quiet })
  t.teardown(() => own.close())
  const pid = async (owner: string) => (await own.read(role, owner, backend)).rows[0]?.[0]
  // Both at once, so that there are two.
  const [first, second] = await Promise.all([pid(tenant), pid(other)])
  t.not(first, second)
  for (let round = 0; round < 3; round++) {
    t.equal(await pid(other), second)
    t.equal(await pid(tenant), first)
  }
})

t.test('a tenant id that is no UUID reaches no statement', async (t) => {
  for (const wrong of ["x'; RESET ROLE; --", '', tenant.toUpperCase(), `${tenant}'`]) {
    await t.rejects(connections.read(role, wrong, names), /must be a UUID/)
  }
  await t.rejects(connections.read('x"; RESET ROLE', tenant, names), /cannot be an SQL name/)
  t.same((await connections.read(role, tenant, names)).rows, [[tenant]])
})

t.test('when a role cannot be taken, nobody sees an answer under the one before', async (t) => {
  await Promise.all([connections.read(role, tenant, names), connections.read(role, tenant, names)])
  await t.rejects(connections.read('plinthtest_plugin_gone', other, names), { code: '22023' })
  await t.rejects(connections.read('postgres', other, names), { code: '42501' })
  t.same((await connections.read(role, other, names)).rows, [[other]])
})

t.test('a single read cannot write, and a unit of work on the same connection can', async (t) => {
  const write = prepared("UPDATE plugin_trial.item SET name = 'x'")([])
  for (let round = 0; round < 3; round++) {
    await t.rejects(connections.read(role, tenant, write), { code: '25006' })
    await fixture.unit(async (u) => {
      const { id } = await fixture.store('item').create(u, { name: 'made' })
      await fixture.store('item').delete(u, id)
    })
  }
  t.same((await connections.read(role, tenant, names)).rows, [[tenant]])
})

t.test('what SQL of a plugin has set is not what the next read of the same tenant is bound to', async (t) => {
  for (const set of [
    `SET plinth.tenant_id = '${other}'`,
    'RESET ROLE',
    'RESET plinth.tenant_id',
    'SET default_transaction_read_only = off',
  ]) {
    await connections.read(role, tenant, { text: set, values: [], fromPlugin: true })
    t.same((await connections.read(role, tenant, names)).rows, [[tenant]], set)
    const write = { text: 'DELETE FROM plugin_trial.item', values: [], fromPlugin: true as const }
    await t.rejects(connections.read(role, tenant, write), { code: '25006' }, set)
  }
})

t.test('an answer that nobody can keep is cut off, and the next read is answered', async (t) => {
  const huge = prepared("SELECT repeat('x', 40000000)")([])
  await t.rejects(connections.read(role, tenant, huge), { code: 'DATABASE_ANSWER_TOO_LARGE' })
  const bounds = { bytes: 1_000, ms: 60_000, exceeded: (what: string) => new Error(`too much ${what}`) }
  await t.rejects(connections.read(role, tenant, { ...huge, bounds }), /too much bytes/)
  await t.rejects(
    connections.read(role, tenant, { ...sleep([5]), bounds: { ...bounds, ms: 100 } }),
    /too much time/,
  )
  t.same((await connections.read(role, tenant, names)).rows, [[tenant]])
  t.equal((await connections.read(role, tenant, { ...names, bounds })).rows.length, 1)
})

t.test('a text is one statement, also without values', async (t) => {
  const two = { text: 'SELECT 1; SELECT 2', values: [], fromPlugin: true as const }
  await t.rejects(connections.read(role, tenant, two), { code: '42601' })
})

t.test('whoever finds no free connection waits, but not for ever and not in any number', async (t) => {
  const own = openTenantConnections({
    connection: fixture.database.access.data,
    max: 1,
    waitMs: 800,
    queue: 2,
    log: quiet,
  })
  t.teardown(() => own.close())
  const busy = own.read(role, tenant, sleep([0.1]))
  const served = own.read(role, tenant, names)
  const alsoServed = own.read(role, other, names)
  await t.rejects(own.read(role, tenant, names), { code: 'OVERLOADED' }, 'the queue is full')
  await Promise.all([busy, served, alsoServed])
  const longer = own.read(role, tenant, sleep([2]))
  await t.rejects(own.read(role, tenant, names), { code: 'OVERLOADED', data: { waitedMs: 800 } })
  await longer
  t.same((await own.read(role, tenant, names)).rows, [[tenant]])
})

t.test('lost connections are replaced; who was using one is told', async (t) => {
  const slow = connections.read(role, tenant, sleep([5]))
  const told = t.rejects(slow, { code: 'DATABASE_UNAVAILABLE' })
  await connections.read(role, other, names)
  await fixture.database.admin.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'plinth-data' AND datname = current_database()",
  )
  await told
  for (let round = 0; round < 20 && connections.stats().open > 0; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const answers = await Promise.all(
    [tenant, other, tenant].map((owner) => connections.read(role, owner, names)),
  )
  t.same(
    answers.map(({ rows }) => rows[0]?.[0]),
    [tenant, other, tenant],
  )
})

t.test('those who wait for a connection that is lost get another', async (t) => {
  const own = openTenantConnections({ connection: fixture.database.access.data, max: 1, log: quiet })
  t.teardown(() => own.close())
  const pid = (await own.read(role, tenant, backend)).rows[0]?.[0]
  const slow = own.read(role, tenant, sleep([5]))
  const waiting = [own.read(role, tenant, names), own.read(role, other, names)]
  const told = t.rejects(slow, { code: 'DATABASE_UNAVAILABLE' })
  await fixture.database.admin.query('SELECT pg_terminate_backend($1)', [pid])
  await told
  t.same(
    (await Promise.all(waiting)).map(({ rows }) => rows[0]?.[0]),
    [tenant, other],
  )
})

t.test('a database that is not there is an error at once', async (t) => {
  const nowhere = openTenantConnections({
    connection: { host: '127.0.0.1', port: 1, user: 'x', password: 'x', database: 'x' },
    max: 1,
    log: quiet,
  })
  await t.rejects(nowhere.read(role, tenant, names), { code: 'DATABASE_UNAVAILABLE' })
  t.same(nowhere.stats(), { open: 0, idle: 0, waiting: 0 })
  await nowhere.close()
})

t.test('a connection keeps a bounded number of prepared statements', async (t) => {
  const own = openTenantConnections({ connection: fixture.database.access.data, max: 1, log: quiet })
  t.teardown(() => own.close())
  for (let index = 0; index < 230; index++) {
    const { rows } = await own.read(role, tenant, prepared(`SELECT ${index}`)([]))
    t.same(rows, [[index]])
  }
  const kept = prepared('SELECT count(*) FROM pg_prepared_statements')([])
  const { rows } = await own.read(role, tenant, kept)
  t.ok(Number(rows[0]?.[0]) <= 201, String(rows[0]?.[0]))
  t.same(
    (await own.read(role, tenant, prepared('SELECT 0')([]))).rows,
    [[0]],
    'a dropped one is prepared again',
  )
})

t.test('after the end nobody gets a connection', async (t) => {
  const own = openTenantConnections({ connection: fixture.database.access.data, max: 1, log: quiet })
  const last = own.read(role, tenant, sleep([0.1]))
  await new Promise((resolve) => setTimeout(resolve, 30))
  const closing = own.close()
  await t.rejects(own.read(role, tenant, names), { code: 'DATABASE_UNAVAILABLE' })
  await closing
  await last
  t.equal(own.stats().open, 0)
})
