// /metrics: who may read it, that it is Prometheus' format, and what a plugin's work leaves in it.
import t from 'tap'
import { greedyPlugin } from '../support/greedy-plugin.ts'
import { makeInstallation } from '../support/installation.ts'
import { type TestKernel, testKernel } from '../support/kernel.ts'

const read = ({ kernel }: TestKernel, headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') =>
  kernel.inject({ method: 'GET', url: '/metrics', headers, remoteAddress })

const sample = /^([a-z_][a-z0-9_]*)(?:\{([a-zA-Z_]+="[^"\\]*",?)+\})? (-?[0-9.e+-]+|NaN|[+-]Inf)$/

/** Values by name and labels, as in the text. @throws for a line that is none */
function parse(text: string): Map<string, number> {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-z0-9_]+ .+/.test(line)) continue
    if (!sample.test(line)) throw new Error(`not a sample: ${line}`)
    const at = line.lastIndexOf(' ')
    values.set(line.slice(0, at), Number(line.slice(at + 1)))
  }
  return values
}

t.test('the metrics', async (t) => {
  const root = await makeInstallation(t, { '@test/greedy': { source: greedyPlugin } })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const { owner, slug, id } = await kernel.openTenant('greedy')

  await t.test('are for this machine alone, unless there is a token', async (t) => {
    t.equal((await read(kernel)).statusCode, 200)
    t.equal((await read(kernel, {}, '::1')).statusCode, 200)
    t.equal((await read(kernel, {}, '::ffff:127.0.0.1')).statusCode, 200)
    for (const address of ['10.0.0.7', '::2', '1270.0.0.1', '::ffff:10.0.0.7']) {
      t.equal((await read(kernel, {}, address)).statusCode, 404, address)
    }
    for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      t.equal((await read(kernel, { [header]: '127.0.0.1' })).statusCode, 404, `through a proxy: ${header}`)
    }
  })

  await t.test('tell what was done, in the format of Prometheus', async (t) => {
    await owner('POST', '/v1/greedy/use', { way: 'events', times: 3 })
    await owner('POST', '/v1/greedy/use', { way: 'events', times: 60 })
    await owner('GET', '/v1/greedy/notes')
    const reply = await read(kernel)
    t.match(reply.headers['content-type'], /^text\/plain; version=0\.0\.4/)
    const values = parse(reply.body)
    const value = (name: string) => values.get(name)
    t.equal(value('plinth_invocations_total{module="greedy",outcome="ok"}'), 1)
    t.equal(value('plinth_invocations_total{module="greedy",outcome="LIMIT_EXCEEDED"}'), 1)
    t.equal(value('plinth_limit_hits_total{module="greedy",limit="events"}'), 1)
    t.equal(value('plinth_capability_calls_total{module="greedy",capability="events.emit"}'), 3 + 51)
    t.equal(value('plinth_invocation_cpu_seconds_count{module="greedy"}'), 1)
    t.equal(value('plinth_request_duration_seconds_count{module="greedy",method="POST",status="2xx"}'), 1)
    t.equal(value('plinth_request_duration_seconds_count{module="greedy",method="POST",status="5xx"}'), 1)
    t.equal(value('plinth_hosts_running{module="greedy"}'), 1)
    t.ok(Number(value('plinth_data_connections{state="open"}')) >= 1)
    t.ok(values.has('nodejs_eventloop_lag_p99_seconds'))
    t.notMatch(reply.body, new RegExp(`${slug}|${id}`), 'no tenant is named')
  })
})

t.test('with a token', async (t) => {
  const token = 'a-token-for-tests-only'
  const root = await makeInstallation(t, {})
  const kernel = await testKernel(t, { pluginsRoot: root, metricsToken: token })
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
  t.equal((await read(kernel, bearer(token), '10.0.0.7')).statusCode, 200, 'they are for who has it')
  for (const wrong of ['', 'x', token.slice(1), `${token}x`]) {
    t.equal((await read(kernel, bearer(wrong))).statusCode, 401, `and for nobody else: '${wrong}'`)
  }
  t.equal((await read(kernel)).statusCode, 401, 'this machine neither')
})
