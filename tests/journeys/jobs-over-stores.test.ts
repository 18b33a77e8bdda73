// Jobs over both stores of turns, in two kernels at once: none is lost, doubled or begun too early, and a tenant has no more
// at once than its plan says, whoever does them.
import t from 'tap'
import { createKernel } from '../../kernel/src/kernel.ts'
import { makeInstallation } from '../support/installation.ts'
import { jobLab, quick, until } from '../support/job-lab.ts'
import { jobPlugin } from '../support/job-plugin.ts'
import { testConfig, testLog } from '../support/kernel.ts'
import { overBothStores } from '../support/queue-lab.ts'

overBothStores(t, async (t, { config, redis }) => {
  const pluginsRoot = await makeInstallation(t, { '@test/works': { source: jobPlugin() } })
  const lab = await jobLab(t, { ...config, pluginsRoot })
  const both = { ...quick, ...config, pluginsRoot }
  const second = await createKernel(testConfig(lab.database.adminUrl, both), testLog)
  t.teardown(() => second.close())
  const { admin } = lab.database

  await t.test('each is done once', async (t) => {
    const shop = await lab.openWorkshop()
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        n % 4 === 0
          ? shop.enqueue('flaky', { text: `job ${n}`, fails: 1 })
          : shop.enqueue('note', { text: `job ${n}` }, n % 4 === 1 ? { delayMs: 300 } : {}),
      ),
    )
    const jobs = await Promise.all(ids.map((id) => shop.jobIn(id, 'done', 'dead')))
    t.ok(jobs.every(({ state }) => state === 'done'))
    const marks = (await shop.marks()).map((mark) => Number(mark.split(' ')[1]))
    t.same(
      marks.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n),
    )
  })

  await t.test('two at once, in both kernels together', async (t) => {
    const shop = await lab.openWorkshop()
    const ids = await Promise.all(
      [1, 2, 3, 4].map((n) => shop.enqueue('slow', { text: `s ${n}`, steps: 4, ms: 100 })),
    )
    let most = 0
    await until(
      async () => {
        const { rows } = await admin.query<{ running: number; done: number }>(
          `select count(*) filter (where state = 'running')::int as running, count(*) filter (where state = 'done')::int as done
           from kernel.task where tenant_id = $1`,
          [shop.id],
        )
        most = Math.max(most, rows[0]?.running ?? 0)
        return rows[0]?.done
      },
      (done) => done === ids.length,
      20_000,
    )
    t.equal(most, 2)
  })

  await t.test('what the store forgets is done all the same', async (t) => {
    const shop = await lab.openWorkshop()
    const ids = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => shop.enqueue('note', { text: `lost ${n}` }, { delayMs: 500 })),
    )
    if (redis) await redis.client.flushall()
    else await admin.query('truncate bullmq.job, bullmq.dedup, bullmq.dedup_next, bullmq.event cascade')
    const jobs = await Promise.all(ids.map((id) => shop.jobIn(id, 'done', 'dead')))
    t.ok(jobs.every(({ state }) => state === 'done'))
  })
})
