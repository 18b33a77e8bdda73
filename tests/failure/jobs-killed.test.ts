// Processes that die while a job runs: it is done once, by whoever is left, and what the dead had done of it is not there.
import t from 'tap'
import { testDatabase, testInstallation } from '../support/database.ts'
import { makeInstallation } from '../support/installation.ts'
import { jobLab, until, workshopOf } from '../support/job-lab.ts'
import { jobPlugin } from '../support/job-plugin.ts'
import { startKernelProcess } from '../support/kernel-process.ts'
import { openTenantAt } from '../support/operated-processes.ts'

t.test('a kernel that is killed in the middle of a job', async (t) => {
  const database = await testDatabase(t)
  const start = () =>
    startKernelProcess(t, {
      DATABASE_URL: database.adminUrl,
      PLINTH_SECRET: testInstallation.secret,
      PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
      PLINTH_RETRY_FIRST_MS: '50',
      PLINTH_PLUGINS_ROOT: root,
    })
  const root = await makeInstallation(t, { '@test/works': { source: jobPlugin() } })
  const first = await start()
  const tenant = await openTenantAt(first.url, 'works')
  const at = (url: string) => workshopOf({ ...tenant, owner: tenant.at(url) })
  const id = await at(first.url).enqueue('slow', { text: 'killed', steps: 20, ms: 100 })
  const begun = await until(
    () => at(first.url).job(id),
    ({ progress }) => Number(progress) > 0,
  )
  t.match(begun, { state: 'running', attempt: 1 })
  await first.end('SIGKILL')

  const second = await start()
  const shop = at(second.url)
  t.match(await shop.job(id), { state: 'running', attempt: 1 }, 'nobody knows yet')
  t.same(await shop.marks(), [])
  // Half a minute goes by.
  await database.admin.query(`update kernel.task set lease_until = now() where state = 'running'`)
  t.match(await shop.jobIn(id, 'done', 'dead'), { state: 'done', attempt: 2, result: { steps: 20 } })
  t.same(await shop.marks(), ['killed'])
})

t.test('a plugin’s process that is killed in the middle of a job', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()
  const id = await shop.enqueue('slow', { text: 'killed', steps: 20, ms: 100 })
  await until(
    () => shop.job(id),
    ({ progress }) => Number(progress) > 0,
  )
  const stats = lab.kernel.registry.plugins.get('works')?.host.stats?.()
  for (const { pid } of stats?.hosts ?? []) process.kill(pid, 'SIGKILL')
  t.match(await shop.jobIn(id, 'done', 'dead'), { state: 'done', attempt: 2 })
  t.same(await shop.marks(), ['killed'])
})

t.test('an attempt that was taken for lost and goes on all the same changes nothing', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()
  const id = await shop.enqueue('slow', { text: 'twice', steps: 10, ms: 100 })
  await until(
    () => shop.job(id),
    ({ progress }) => Number(progress) > 0,
  )
  await lab.database.admin.query(
    `update kernel.task set lease_until = now() - interval '1 s' where state = 'running'`,
  )
  t.match(await shop.jobIn(id, 'done', 'dead'), { state: 'done', attempt: 2 })
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  t.same(await shop.marks(), ['twice'])
})

t.test('a kernel that ends in good order waits a while for its jobs', async (t) => {
  const lab = await jobLab(t)
  const shop = await lab.openWorkshop()
  const id = await shop.enqueue('slow', { text: 'short', steps: 10, ms: 100 })
  await until(
    () => shop.job(id),
    ({ progress }) => Number(progress) > 0,
  )
  await lab.kernel.close()
  const { rows } = await lab.database.admin.query('select state from kernel.task where id = $1', [id])
  t.same(rows, [{ state: 'done' }])
})
