// What a work queue is up against besides deaths: more than can be done when it starts, a subscriber that is slow, and a clock
// that jumps.
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testDatabase, testInstallation } from '../support/database.ts'
import { type KernelProcess, startKernelProcess } from '../support/kernel-process.ts'
import { openTenantAt } from '../support/operated-processes.ts'
import { allEnded, queueLab, until } from '../support/queue-lab.ts'
import { queueInstallation } from '../support/queue-plugins.ts'

/** `EVENTS_AT_START=100000 TEST_TIMEOUT_MS=1800000 npm test -- queue-backlog`. */
const waiting = Number(process.env['EVENTS_AT_START'] ?? 2_000)
/** An engine lets its heap grow while it is busy: by 180 MB with 25,000 events, by 260 MB with 100,000. */
const mostGrowthMb = 350
const workMs = waiting * 50 + 60_000

const sloth = `
import { definePlugin, t, use } from '@plinth/sdk'
export default definePlugin({
  name: 'sloth', title: 'Sloth', uses: { shop: use('^1.0.0') },
  on: { 'shop.day.ended': () => new Promise((resolve) => setTimeout(resolve, 1_000)) },
})`

const residentMb = async ({ child }: KernelProcess): Promise<number> => {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024
}

async function processLab(
  t: Parameters<typeof testDatabase>[0],
  more: Readonly<Record<string, string>> = {},
) {
  const database = await testDatabase(t)
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
    PLINTH_PLUGINS_ROOT: await queueInstallation(t),
    ...more,
  }
  const start = (own: Readonly<Record<string, string>> = {}) =>
    startKernelProcess(t, { ...environment, ...own })
  const kernel = await start()
  const tenant = await openTenantAt(kernel.url, 'shop', 'books')
  const counts = async () => {
    const { rows } = await database.admin.query<{
      done: number
      entries: number
      left: number
      said: number
    }>(
      `select (select count(*)::int from kernel.task where state = 'done') as done,
              (select count(*)::int from plugin_books.entry) as entries,
              (select count(distinct say)::int from plugin_books.entry) as said,
              (select count(*)::int from kernel.outbox where dispatched_at is null)
            + (select count(*)::int from kernel.task where state <> 'done') as left`,
    )
    return rows[0] ?? { done: 0, entries: 0, left: 0, said: 0 }
  }
  return { database, kernel, start, tenant, counts }
}

t.test(`${waiting} events that wait when a kernel starts`, async (t) => {
  const { database, kernel, start, tenant, counts } = await processLab(t)
  await kernel.end()
  await database.admin.query(
    `insert into kernel.outbox (tenant_id, module, event, payload, actor, request_id, version)
     select $1, 'shop', 'day.ended', jsonb_build_object('say', 'day ' || n), 'somebody', 'before', '1.0.0'
       from generate_series(1, $2::int) n`,
    [tenant.id, waiting],
  )
  const began = Date.now()
  const second = await start()
  const readyMs = Date.now() - began
  t.match(await tenant.at(second.url)('GET', '/v1/books/entries'), { status: 200 }, 'it answers at once')
  const atFirst = await residentMb(second)
  let most = atFirst
  const isDone = await until(
    async () => {
      most = Math.max(most, await residentMb(second))
      await sleep(100)
      return (await counts()).left
    },
    (left) => left === 0,
    workMs,
  )
  t.comment(
    `ready after ${readyMs} ms, done after ${Date.now() - began} ms, ${Math.round(atFirst)} MB at first and ${Math.round(most)} MB at most`,
  )
  t.equal(isDone, 0)
  t.same(await counts(), { done: waiting, entries: waiting, said: waiting, left: 0 }, 'each is done once')
  t.ok(most - atFirst < mostGrowthMb, 'in memory that does not grow with them')
})

t.test('clocks that jump an hour to and fro lose nothing and do nothing twice', async (t) => {
  const { kernel, start, tenant, counts } = await processLab(t)
  const clock = new URL('../support/jumping-clock.mjs', import.meta.url)
  const jumping = await start({ NODE_OPTIONS: `--import=${clock.href}` })
  for (let round = 0; round < 10; round += 1) {
    for (const { url } of [kernel, jumping]) {
      const say = `${round} ${url === jumping.url} `
      t.match(await tenant.at(url)('POST', '/v1/shop/tell-many', { say, count: 10 }), { status: 200 })
    }
    await sleep(300)
  }
  await until(counts, ({ done }) => done >= 200, 60_000)
  t.same(await counts(), { done: 200, entries: 200, said: 200, left: 0 })
})

t.test('a subscriber that is slow slows no other', async (t) => {
  const root = await queueInstallation(t, { '@test/sloth': { source: sloth } })
  const lab = await queueLab(t, { pluginsRoot: root })
  const shop = await lab.openShop('shop', 'books', 'sloth')
  t.match(await shop.owner('POST', '/v1/shop/tell-many', { say: 'told ', count: 40 }), { status: 200 })
  await until(shop.entries, (all) => all.length === 40)
  const ofSloth = (await shop.tasks()).slice(-80)
  const { rows } = await lab.database.admin.query<{ books: number; sloth: number }>(
    `select count(*) filter (where module = 'books' and state = 'done')::int as books,
            count(*) filter (where module = 'sloth' and state = 'done')::int as sloth from kernel.task`,
  )
  t.equal(rows[0]?.books, 40)
  t.ok((rows[0]?.sloth ?? 40) < 40, `the slow one has done ${rows[0]?.sloth} of 40`)
  t.equal(ofSloth.length, 80)
  await until(shop.tasks, allEnded, 60_000)
  t.ok(allEnded(await shop.tasks()), 'and is done in the end, too')
})
