// Use that is counted in memory and added up in the database.
import pg from 'pg'
import t from 'tap'
import { testDatabase } from '../../../tests/support/database.ts'
import { recordingLog } from '../../../tests/support/recording-log.ts'
import { readUsage } from './read-usage.ts'
import { createUsageCounter } from './usage-counter.ts'

t.test('the use of tenants', async (t) => {
  const database = await testDatabase(t)
  const pool = new pg.Pool({ ...database.access.kernel, max: 4 })
  t.teardown(() => pool.end())
  const { log, lines } = recordingLog()
  const [one, other] = [createUsageCounter(pool, log), createUsageCounter(pool, log)]
  t.teardown(() => Promise.all([one.close(), other.close()]))
  const [acme, bolt] = [await database.addTenant('acme'), await database.addTenant('bolt')]

  await t.test('adds up, whoever counts and in which order he writes', async (t) => {
    for (let round = 0; round < 20; round += 1) {
      for (const tenant of [acme, bolt]) {
        one.add(tenant, 'oms', 'queries', 1)
        other.add(tenant, 'oms', 'queries', 2)
        one.add(tenant, 'finance', 'cpu', 0.5)
      }
      await Promise.all([one.flush(), other.flush(), one.flush()])
    }
    t.same(await readUsage(pool, acme), [
      { module: 'finance', name: 'cpu', today: 20, month: 20 },
      { module: 'oms', name: 'queries', today: 60, month: 60 },
    ])
    t.same(await readUsage(pool, bolt), await readUsage(pool, acme))
  })

  await t.test('is kept while the database does not take it', async (t) => {
    await database.admin.query('alter table kernel.usage rename to usage_away')
    one.add(acme, 'crm', 'events', 3)
    await one.flush()
    t.match(lines, [{ level: 40, msg: /kept for the next time/ }])
    await database.admin.query('alter table kernel.usage_away rename to usage')
    one.add(acme, 'crm', 'events', 4)
    await one.flush()
    const rows = await readUsage(pool, acme)
    t.match(
      rows.find((row) => row.module === 'crm'),
      { today: 7 },
    )
  })

  await t.test('of a tenant that is gone is nobody’s, and in nobody’s way', async (t) => {
    await database.admin.query('delete from kernel.tenant where id = $1', [bolt])
    one.add(bolt, 'oms', 'queries', 1)
    one.add(acme, 'hrms', 'queries', 1)
    await one.flush()
    t.same(await readUsage(pool, bolt), [])
    t.ok((await readUsage(pool, acme)).some((row) => row.module === 'hrms'))
  })

  await t.test('of last month is not of this month', async (t) => {
    await database.admin.query(
      `insert into kernel.usage (tenant_id, module, day, name, amount)
       values ($1, 'oms', date_trunc('month', now() at time zone 'UTC')::date - 1, 'queries', 1000)`,
      [acme],
    )
    t.match(
      (await readUsage(pool, acme)).find((row) => row.name === 'queries' && row.module === 'oms'),
      { month: 60 },
    )
  })
})
