// Schedules: which there are, how they follow the tenant, and what becomes of a time that is due, missed, or due twice.
import t from 'tap'
import { createKernel } from '../../kernel/src/kernel.ts'
import { makeInstallation } from '../support/installation.ts'
import { jobLab, quick, until } from '../support/job-lab.ts'
import { jobPlugin } from '../support/job-plugin.ts'
import { sender, testConfig, testLog } from '../support/kernel.ts'

interface Schedule {
  readonly module: string
  readonly job: string
  readonly title: string
  readonly schedule: string
  readonly timeZone: string
  readonly nextAt: string
}

t.test('a tenant’s schedules', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()
  const schedules = async () =>
    (await shop.owner('GET', '/v1/tenant/job-schedules')).body['items'] as unknown as Schedule[]
  const { admin } = lab.database
  /** As if the time had come. */
  const makeDue = (ago = '1 second') =>
    admin.query(`update kernel.job_schedule set next_at = now() - $2::interval where tenant_id = $1`, [
      shop.id,
      ago,
    ])
  const ofNightly = async () =>
    (await shop.owner('GET', '/v1/tenant/jobs?job=nightly')).body['items'] as { id: string; state: string }[]

  await t.test('are there as soon as the module is', async (t) => {
    const [nightly, ...rest] = await until(schedules, (found) => found.length > 0)
    t.match(nightly, {
      module: 'works',
      job: 'nightly',
      title: 'Nightly',
      schedule: '30 2 * * *',
      timeZone: 'UTC',
    })
    t.match(nightly?.nextAt, /T02:30:00/)
    t.same(rest, [])
  })

  await t.test('go by its time zone, and follow when that changes', async (t) => {
    const { status } = await shop.owner('PATCH', '/v1/tenant', { timeZone: 'Europe/Berlin' })
    t.equal(status, 200)
    const [nightly] = await until(schedules, ([one]) => one?.timeZone === 'Europe/Berlin')
    t.match(nightly, { timeZone: 'Europe/Berlin', nextAt: /T0[01]:30:00/ })
  })

  await t.test('make one job of each due time', async (t) => {
    await makeDue()
    const [made] = await until(ofNightly, ([one]) => one?.state === 'done')
    t.match(made, { state: 'done', startedBy: 'kernel', requestId: /^schedule:/ })
    t.same(await shop.marks(), ['by the clock'])
    const [nightly] = await schedules()
    t.ok(Date.parse(String(nightly?.nextAt)) > Date.now(), 'and the next time is set')
    t.equal((await ofNightly()).length, 1)
  })

  await t.test('one job for all the times that were missed', async (t) => {
    await makeDue('9 days')
    await until(ofNightly, (found) => found.length === 2 && found.every(({ state }) => state === 'done'))
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    t.equal((await ofNightly()).length, 2)
  })

  await t.test('none while the one of the time before is not done', async (t) => {
    await admin.query(
      'insert into kernel.task_pause (id, tenant_id, module, paused_by) values ($1, $2, $3, $4)',
      [crypto.randomUUID(), shop.id, 'works', 'olga'],
    )
    for (const _ of [1, 2]) {
      await makeDue()
      await until(schedules, ([one]) => Date.parse(String(one?.nextAt)) > Date.now())
    }
    t.equal((await ofNightly()).length, 3)
    await admin.query('delete from kernel.task_pause')
    await until(ofNightly, (found) => found.every(({ state }) => state === 'done'))
  })

  await t.test('not without the module, and again with it', async (t) => {
    await shop.owner('DELETE', '/v1/tenant/modules/works')
    t.same(await until(schedules, (found) => found.length === 0), [])
    await shop.owner('POST', '/v1/tenant/modules', { module: 'works' })
    t.equal((await until(schedules, (found) => found.length === 1)).length, 1)
  })

  await t.test('are for who may see jobs', async (t) => {
    const member = await lab.addMember(shop, 'member')
    t.match(await member('GET', '/v1/tenant/job-schedules'), {
      status: 403,
      body: { code: 'FORBIDDEN', permission: 'tenant.jobs.read' },
    })
  })
})

t.test('two kernels make one job of a due time, and one that was down makes up for it', async (t) => {
  const pluginsRoot = await makeInstallation(t, { '@test/works': { source: jobPlugin() } })
  const lab = await jobLab(t, { pluginsRoot })
  const second = await createKernel(testConfig(lab.database.adminUrl, { ...quick, pluginsRoot }), testLog)
  const shop = await lab.openWorkshop()
  const { admin } = lab.database
  const count = async () => {
    const { rows } = await admin.query<{ count: number; open: number; due: number }>(
      `select count(*)::int as count, count(*) filter (where state <> 'done')::int as open,
              (select count(*)::int from kernel.job_schedule where next_at <= now()) as due
       from kernel.task where tenant_id = $1 and name = 'nightly'`,
      [shop.id],
    )
    return rows[0]
  }
  const exists = async () =>
    (await admin.query('select from kernel.job_schedule where tenant_id = $1', [shop.id])).rowCount
  await until(exists, (found) => found === 1)
  for (let round = 1; round <= 3; round += 1) {
    await admin.query(`update kernel.job_schedule set next_at = now() where tenant_id = $1`, [shop.id])
    const found = await until(count, (one) => one?.count === round && one.open === 0 && one.due === 0)
    t.match(found, { count: round, open: 0 })
  }
  await second.close()
  await lab.kernel.close()

  await admin.query(
    `update kernel.job_schedule set next_at = now() - interval '3 days' where tenant_id = $1`,
    [shop.id],
  )
  const changed = await makeInstallation(t, {
    '@test/works': { source: jobPlugin({ schedule: '15 4 * * *' }) },
  })
  const third = await createKernel(
    testConfig(lab.database.adminUrl, { ...quick, pluginsRoot: changed }),
    testLog,
  )
  t.teardown(() => third.close())
  t.ok(sender(third))
  const patterns = async () =>
    (
      await admin.query<{ pattern: string }>('select pattern from kernel.job_schedule where tenant_id = $1', [
        shop.id,
      ])
    ).rows
  t.match(
    await until(patterns, ([one]) => one?.pattern === '15 4 * * *'),
    [{ pattern: '15 4 * * *' }],
    'a new pattern is reckoned anew',
  )
})
