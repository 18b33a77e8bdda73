// A plugin is upgraded, rolled back and upgraded again while clients read and write through two kernel processes: not
// one request fails.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { sendTo } from '../support/kernel-process.ts'
import { openTenantAt, operatedProcesses } from '../support/operated-processes.ts'
import { operatorOf } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const clients = 20

t.test('a plugin changes under load', async (t) => {
  const { releases, start, database } = await operatedProcesses(t)
  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0') })
  const processes = await Promise.all([start(), start()])
  const [one, other] = processes
  const operator = operatorOf(sendTo(one.url))
  const change = async (kind: string, body: object = {}) => {
    const { body: operation } = await operator('POST', `/v1/operator/plugins/visits/${kind}`, body)
    return operation
  }
  t.match((await operator('POST', '/v1/operator/plugins', { package: name })).body, { state: 'succeeded' })
  const tenant = await openTenantAt(one.url, 'visits')

  let isOver = false
  const statuses = new Map<string, number>()
  const broken: string[] = []
  async function client(number: number): Promise<void> {
    const send = tenant.at(processes[number % processes.length]?.url ?? one.url)
    for (let round = 0; !isOver; round += 1) {
      const calls = [
        () => send('GET', '/v1/visits/version'),
        () => send('POST', '/v1/visits/visits', { who: `${number}.${round}` }),
        () => send('GET', '/v1/visits/visits?limit=5'),
      ]
      for (const call of calls) {
        try {
          const { status, body } = await call()
          const told = status < 300 ? 'fine' : `${status} ${String(body['code'])}`
          statuses.set(told, (statuses.get(told) ?? 0) + 1)
        } catch (error) {
          broken.push(String(error instanceof Error ? (error.cause ?? error) : error))
        }
      }
      await sleep(30)
    }
  }
  /** The next request, at either process. */
  async function seen(t: Test, version: string): Promise<void> {
    for (const { url } of processes)
      t.match(await tenant.at(url)('GET', '/v1/visits/version'), { status: 200, body: { version } })
  }
  const load = Array.from({ length: clients }, (_, number) => client(number))
  t.teardown(() => {
    isOver = true
  })

  await t.test('requests inside finish on the version they entered', async (t) => {
    await releases.publish({ name, version: '1.0.1', source: visits('1.0.1') })
    // Loaded everywhere beforehand: what is inside cannot wait for a lock for long.
    t.match(await change('upgrade', { version: '1.0.1', channel: 'beta' }), { state: 'succeeded' })
    const { body } = await tenant.at(one.url)('POST', '/v1/visits/visits', { who: 'locked' })
    const locking = await database.connect({ connectionString: database.adminUrl })
    await locking.query('BEGIN')
    await locking.query('SELECT FROM plugin_visits.visit WHERE id = $1 FOR UPDATE', [body['id']])
    const inside = processes.map(({ url }) =>
      tenant.at(url)('POST', '/v1/visits/wait', { visit: body['id'] }),
    )
    for (let looks = 0; looks < 200; looks += 1) {
      const { rows } = await database.admin.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%FOR NO KEY UPDATE%' AND datname = current_database()`,
      )
      if (rows.length === inside.length) break
      const early = await Promise.race([...inside, sleep(20)])
      if (early) return t.fail(`answered too early: ${JSON.stringify(early)}`)
    }
    t.match(await change('upgrade', { version: '1.0.1' }), { state: 'succeeded' })
    await seen(t, '1.0.1')
    await locking.query('COMMIT')
    for (const answer of await Promise.all(inside))
      t.match(answer, { status: 200, body: { version: '1.0.0' } })
  })

  await t.test('every later one sees the new version, at each process', async (t) => {
    await releases.publish({
      name,
      version: '1.1.0',
      source: visits('1.1.0', { fields: 'note: t.text().optional(),' }),
    })
    t.match(await change('upgrade'), { state: 'succeeded', version: '1.1.0' })
    await seen(t, '1.1.0')
    for (const version of ['1.0.1', '1.1.0', '1.0.1', '1.1.0']) {
      t.match(await change('rollback'), { state: 'succeeded', version })
      await seen(t, version)
    }
  })

  await t.test('also when the tables change so that the version before could not live with it', async (t) => {
    await releases.publish({
      name,
      version: '2.0.0',
      source: visits('2.0.0', { who: 'guest', fields: 'note: t.text().optional(),' }),
      wishes: { rename: ['visit.who=visit.guest'] },
    })
    t.match(await change('upgrade'), { state: 'succeeded', version: '2.0.0', error: null })
    await seen(t, '2.0.0')
    await sleep(300)
  })

  await t.test('and no request failed', async (t) => {
    isOver = true
    await Promise.all(load)
    t.same(broken, [])
    const answers = [...statuses].filter(([told]) => told !== 'fine' && !told.startsWith('422 '))
    t.same(answers, [], 'but for those that still write the field that was renamed')
    t.ok((statuses.get('fine') ?? 0) > 200, `${statuses.get('fine')} requests`)
    const { rows } = await database.admin.query<{ count: string }>('SELECT count(*) FROM plugin_visits.visit')
    t.comment(`${JSON.stringify([...statuses])}, ${rows[0]?.count} records`)
  })
  for (const process of [one, other]) t.equal(await process.end('SIGTERM'), 0)
})
