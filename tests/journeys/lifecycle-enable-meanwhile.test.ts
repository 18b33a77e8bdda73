// A tenant enables a module at the moment at which it is removed.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { operatedKernel } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const plugins = '/v1/operator/plugins'

t.test('a module that is enabled while it is removed leaves nothing behind', async (t) => {
  const { operator, releases, openTenant, database } = await operatedKernel(t)
  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0') })
  t.match((await operator('POST', plugins, { package: name })).body, { state: 'succeeded' })
  const { owner, id } = await openTenant()
  const lock = new pg.Client({ connectionString: database.adminUrl })
  await lock.connect()
  t.teardown(() => lock.end())
  await lock.query('BEGIN')
  await lock.query('SELECT FROM kernel.tenant WHERE id = $1 FOR UPDATE', [id])
  const enabling = owner('POST', '/v1/tenant/modules', { module: 'visits' })
  for (;;) {
    const { rowCount } = await database.admin.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (rowCount !== 0) break
    await sleep(10)
  }
  const removed = await operator('DELETE', `${plugins}/visits`, { confirm: 'visits' })
  await lock.query('ROLLBACK')
  t.match(removed.body, { state: 'succeeded' })
  t.match(await enabling, { status: 404, body: { code: 'MODULE_NOT_FOUND' } })
  const left = await database.admin.query(`SELECT FROM kernel.tenant_module WHERE module = 'visits'`)
  t.equal(left.rowCount, 0)
})
