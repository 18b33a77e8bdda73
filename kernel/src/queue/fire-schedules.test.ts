// What is due is made a job of once, whatever the clock of the process says, and whatever another's schedule is like.
import { mock } from 'node:test'
import { pino } from 'pino'
import t from 'tap'
import { testDatabase } from '../../../tests/support/database.ts'
import { openControlPool } from '../data/control-pool.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Tenant } from '../stages.ts'
import { fireDue } from './fire-schedules.ts'
import { keepSchedulesOf, type ScheduleParts } from './keep-schedules.ts'

const log = pino({ level: 'silent' })

async function lab(t: Parameters<typeof testDatabase>[0]) {
  const { access, admin, addTenant } = await testDatabase(t)
  const pool = openControlPool(access.kernel, 2, log)
  t.teardown(() => pool.end())
  const patterns = new Map<string, string>()
  const parts: ScheduleParts = {
    pool,
    log,
    directory: {
      find: async (id) =>
        ({ id, slug: id, timeZone: 'UTC', modules: new Map([['works', {}]]) }) as unknown as Tenant,
    },
    registry: {
      plugins: new Map(),
      pluginFor: ({ id }) => {
        const job = { title: '', input: {}, attempts: 1 }
        const jobs = {
          tidy: { ...job, schedule: patterns.get(id) },
          daily: { ...job, schedule: '0 6 * * *' },
        }
        return { manifest: { name: 'works', jobs } } as unknown as LoadedPlugin
      },
    },
  }
  return {
    parts,
    /** With a schedule that is due. */
    async tenant(slug: string, pattern: string) {
      const id = await addTenant(slug)
      patterns.set(id, pattern)
      await admin.query(
        `insert into kernel.tenant_module (tenant_id, module, enabled_by) values ($1, 'works', 'u')`,
        [id],
      )
      await admin.query(
        `insert into kernel.job_schedule values ($1, 'works', 'tidy', '* * * * *', 'UTC', date_trunc('minute', now()))`,
        [id],
      )
      return id
    },
    jobs: async (id: string) =>
      (await admin.query(`select from kernel.task where tenant_id = $1 and name = 'tidy'`, [id])).rowCount,
    /** As if all were done. */
    finish: () => admin.query(`update kernel.task set state = 'done', ended_at = now()`),
    scheduled: async (id: string) =>
      (await admin.query('select job from kernel.job_schedule where tenant_id = $1 order by job', [id])).rows,
  }
}

t.test('a process whose clock is behind makes no second job of a time', async (t) => {
  const { parts, tenant, jobs, finish } = await lab(t)
  const id = await tenant('late', '* * * * *')
  mock.timers.enable({ apis: ['Date'], now: Date.now() - 3_600_000 })
  t.teardown(() => mock.timers.reset())
  for (let look = 0; look < 3; look += 1) {
    await fireDue(parts)
    await finish()
  }
  const count = await jobs(id)
  // The next minute may have come meanwhile.
  t.ok(count === 1 || count === 2, `${count} jobs of three looks`)
})

t.test('a schedule that is never due keeps no other from its time', async (t) => {
  const { parts, tenant, jobs, scheduled } = await lab(t)
  const never = await tenant('never', '0 0 30 2/12 *')
  const other = await tenant('other', '* * * * *')
  const fired = await fireDue(parts)
  t.same(fired.lanes, [{ queue: 'jobs.works', tenant: other, lane: '' }])
  t.equal(await jobs(never), 0)
  t.same((await fireDue(parts)).lanes, [], 'and is not looked at again at once')
  await keepSchedulesOf(parts, never)
  t.same(await scheduled(never), [{ job: 'daily' }, { job: 'tidy' }], 'nor the others of its own tenant')
})
