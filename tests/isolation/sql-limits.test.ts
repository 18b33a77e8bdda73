// What one plugin's SQL may cost everybody else: bytes of an answer, time of a statement, the kernel's own time for
// looking at it. Each attack is made twice: with its wall, and with the wall taken down.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { type Send, type TestKernel, testKernel } from '../support/kernel.ts'
import { runSql, type SqlLine, sqlPlugins } from '../support/sql-plugins.ts'

/** `rows` times 200 KB. */
const wide = (rows: number): SqlLine => ({
  text: `select $1::text || n as x from generate_series(1, ${rows}) as n`,
  values: ['x'.repeat(200_000)],
})

/** Half a minute of counting, in many small steps. */
const slow = 'select count(*) from generate_series(1, 20000) as a, generate_series(1, 100000) as b'

async function greatestGrowth(work: () => Promise<unknown>): Promise<number> {
  const start = process.memoryUsage.rss()
  let most = start
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 10)
  await work()
  clearInterval(look)
  return (Math.max(most, process.memoryUsage.rss()) - start) / 1024 / 1024
}

const stillRunning = async ({ database }: TestKernel) => {
  const { rows } = await database.admin.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and state = 'active' and query like '%generate_series%' and pid <> pg_backend_pid()`,
  )
  return rows[0]?.n ?? 0
}

async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let tries = 0; tries < 150; tries += 1) {
    if (await isSo()) return true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}

const isServed = async (send: Send) => (await send('GET', '/v1/shop/items')).status

t.test('with the walls', async (t) => {
  const root = await makeInstallation(t, sqlPlugins)
  const kernel = await testKernel(t, { pluginsRoot: root })
  const { owner } = await kernel.openTenant('shop', 'desk')
  const { owner: neighbour } = await kernel.openTenant('shop')
  await runSql(owner, 'desk', [wide(1)])

  await t.test('an answer of 600 MB is cut off, and the kernel does not keep it', async (t) => {
    const served: number[] = []
    const growth = await greatestGrowth(async () => {
      const attack = runSql(owner, 'desk', [wide(3_000)])
      for (let n = 0; n < 5; n += 1) served.push(await isServed(neighbour))
      t.match(await attack, {
        status: 502,
        body: { code: 'LIMIT_EXCEEDED', detail: /its limit 'sql bytes': \d+ of 8388608/ },
      })
    })
    t.same(new Set(served), new Set([200]), 'another tenant is served meanwhile')
    t.ok(growth < 120, `resident memory grew by ${Math.round(growth)} MB`)
    t.ok(await until(async () => (await stillRunning(kernel)) === 0), 'the server has stopped too')
  })

  await t.test('one value of many MB is cut off as well', async (t) => {
    const line = {
      text: 'select string_agg($1 || n, $1) as x from generate_series(1, 200) as n',
      values: ['x'.repeat(200_000)],
    }
    t.match(await runSql(owner, 'desk', [line]), { body: { code: 'LIMIT_EXCEEDED', detail: /sql bytes/ } })
  })

  await t.test('a statement that takes too long is cut off, and its backend ends', async (t) => {
    t.match(await runSql(owner, 'desk', [slow]), {
      status: 502,
      body: { code: 'LIMIT_EXCEEDED', detail: /its limit 'sql time': 2000 of 2000/ },
    })
    t.ok(await until(async () => (await stillRunning(kernel)) === 0))
    t.equal(await isServed(neighbour), 200)
    t.equal(await isServed(owner), 200)
  })

  await t.test(
    'whoever sends ever new texts is stopped by the CPU of their vetting, or by how many they are',
    async (t) => {
      const line = { text: `select {n} as n where 1 in (${Array(2_400).fill(1).join(',')})`, repeat: 480 }
      t.match(await runSql(owner, 'desk', [line]), {
        body: { code: 'LIMIT_EXCEEDED', detail: /limit '(cpu|queries)'/ },
      })
      const same = { text: 'select code from item', repeat: 90 }
      t.match(await runSql(owner, 'desk', [same]), { status: 200 }, 'a known text costs next to nothing')
    },
  )

  await t.test('more rows than may be written in one statement are not written', async (t) => {
    const many = "insert into item (code) select 'n' || n from generate_series(1, 10001) as n"
    t.match(await runSql(owner, 'shop', [many]), {
      body: { code: 'LIMIT_EXCEEDED', detail: /limit '(sql rows written|rowsWritten)': 10001 of/ },
    })
    t.match(await owner('GET', '/v1/shop/items'), { body: { items: [] } })
  })
})

t.test('without them', async (t) => {
  const root = await makeInstallation(t, { '@test/desk': sqlPlugins['@test/desk'] ?? { source: '' } })
  const kernel = await testKernel(t, { pluginsRoot: root }, { off: new Set(['sqlBytes', 'sqlTime']) })
  const { owner } = await kernel.openTenant('desk')
  await runSql(owner, 'desk', [wide(1)])

  await t.test('the kernel keeps whatever comes', async (t) => {
    const { body } = await runSql(owner, 'desk', [wide(600)])
    t.match(
      body,
      { detail: /its limit '(answer|bytesOut)': 12\d{7} of/ },
      '120 MB were read and written out as JSON',
    )
  })

  await t.test('a statement takes what the request may take', async (t) => {
    t.notMatch(await runSql(owner, 'desk', [slow]), { body: { detail: /sql time/ } })
  })
})
