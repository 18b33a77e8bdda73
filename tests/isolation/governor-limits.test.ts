// The limits of a request, hit by a plugin in a real kernel: named, not to be caught, rolled back, warned of; and not
// there when their wall is down.
import t from 'tap'
import { accomplicePlugin, greedyPlugin } from '../support/greedy-plugin.ts'
import { makeInstallation } from '../support/installation.ts'
import { type Send, testKernel } from '../support/kernel.ts'
import { recordingLog } from '../support/recording-log.ts'
import { doublyBounded, governorAttacks } from './governor-attacks.fixture.ts'

const notesOf = async (send: Send) => {
  const { body } = await send('GET', '/v1/greedy/notes')
  return (body['items'] as unknown[]).length
}

t.test('a plugin that uses too much', async (t) => {
  const root = await makeInstallation(t, { '@test/greedy': { source: greedyPlugin } })
  const { log, lines } = recordingLog()
  const kernel = await testKernel(t, { pluginsRoot: root, debugErrors: true }, { log })
  const { owner, id, slug } = await kernel.openTenant('greedy')

  for (const [way, times, cap] of governorAttacks) {
    await t.test(`of ${way} is told which limit it hit, and nothing is kept`, async (t) => {
      const reply = await owner('POST', '/v1/greedy/use', { way, times })
      t.match(reply, { status: 502, body: { code: 'LIMIT_EXCEEDED', module: 'greedy', limit: way, cap } })
      t.ok(Number(reply.body['used']) >= cap, 'with how much was used')
      t.equal(reply.headers['retry-after'], undefined, 'and again it would be hit again')
      // Returning too much is nothing that could be caught.
      if (way === 'result') return
      const caught = await owner('POST', '/v1/greedy/catch', { way, times })
      t.match(caught, { status: 502, body: { limit: way } }, 'it cannot be caught')
    })
  }
  t.equal(await notesOf(owner), 0, 'no record was kept')
  const { rows } = await kernel.database.admin.query('select from kernel.outbox where tenant_id = $1', [id])
  t.equal(rows.length, 0, 'no event was told')

  await t.test('with four fifths of a limit is warned of, once, and shows it in development', async (t) => {
    lines.length = 0
    const reply = await owner('POST', '/v1/greedy/use', { way: 'queries', times: 230 })
    t.equal(reply.status, 200)
    t.match(reply.headers['x-plinth-limits'], /queries=232\/250/)
    const warnings = lines.filter(({ limit }) => limit === 'queries')
    t.match(warnings, [
      {
        level: 40,
        module: 'greedy',
        tenant: slug,
        used: 200,
        cap: 250,
        requestId: reply.headers['x-request-id'],
      },
    ])
    t.equal(warnings.length, 1)
  })

  await t.test('of log lines loses lines and nothing else', async (t) => {
    lines.length = 0
    t.match(await owner('POST', '/v1/greedy/logs'), { status: 200 })
    t.equal(lines.filter(({ msg }) => msg === 'a line').length, 99)
    t.equal(lines.filter(({ msg }) => /dropped/.test(String(msg))).length, 1)
  })
})

t.test('modules that call each other share one set of limits', async (t) => {
  const root = await makeInstallation(t, {
    '@test/greedy': { source: greedyPlugin },
    '@test/accomplice': { source: accomplicePlugin },
  })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const { owner } = await kernel.openTenant('greedy', 'accomplice')
  const share = (body: object) =>
    owner('POST', '/v1/accomplice/share', { own: 0, rounds: 1, times: 0, ...body })
  const kept = async () => {
    const { rows } = await kernel.database.admin.query<{ kept: string }>(
      'select (select count(*) from plugin_accomplice.trace) + (select count(*) from plugin_greedy.note) as kept',
    )
    return Number(rows[0]?.kept)
  }

  t.match(await share({ way: 'queries', own: 50, times: 40 }), { status: 200 }, 'together within them')
  t.equal(await kept(), 2)
  for (const [body, limit, cap] of [
    [{ way: 'queries', own: 130, times: 130 }, 'queries', 250],
    [{ way: 'queries', times: 40, rounds: 8 }, 'queries', 250],
    [{ way: 'events', times: 15, rounds: 8 }, 'events', 50],
    [{ way: 'rowsWritten', times: 4, rounds: 8 }, 'rowsWritten', 10_000],
  ] as const) {
    t.match(
      await share(body),
      { status: 502, body: { code: 'LIMIT_EXCEEDED', module: 'greedy', limit, cap } },
      `${limit}: the caller that catches it saves nothing`,
    )
  }
  t.equal(await kept(), 2, 'what either of them wrote is gone')
})

t.test('with the governor off the same attacks go through', async (t) => {
  const root = await makeInstallation(t, { '@test/greedy': { source: greedyPlugin } })
  const kernel = await testKernel(t, { pluginsRoot: root }, { off: new Set(['governor']) })
  const { owner } = await kernel.openTenant('greedy')
  for (const [way, times] of governorAttacks) {
    if (doublyBounded.includes(way)) continue
    t.match(await owner('POST', '/v1/greedy/use', { way, times }), { status: 200 }, way)
  }
})
