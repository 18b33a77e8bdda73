// A version on trial is judged by what it answers in all kernel processes together.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { sendTo } from '../support/kernel-process.ts'
import { openTenantAt, operatedProcesses } from '../support/operated-processes.ts'
import { operatorOf } from '../support/operator.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'
const broken = `broken: { method: 'GET', path: '/broken', run: () => { throw new Error('broken') } },`
const each = 4

t.test('failures at two processes, too few at either, take a canary back', async (t) => {
  const { releases, start } = await operatedProcesses(t)
  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0') })
  const [one, other] = await Promise.all([start(), start()])
  const operator = operatorOf(sendTo(one.url))
  t.match((await operator('POST', '/v1/operator/plugins', { package: name })).body, { state: 'succeeded' })
  const tenant = await openTenantAt(one.url, 'visits')
  await releases.publish({ name, version: '1.0.1', source: visits('1.0.1', { routes: broken }) })

  const canary = { percent: 100, minutes: 5, minRequests: 2 * each, errorRate: 0.1 }
  const ending = operator('POST', '/v1/operator/plugins/visits/upgrade', { canary })
  const clients = [one, other].map(({ url }) => tenant.at(url))
  for (const client of clients) {
    for (let looks = 0; looks < 200; looks += 1) {
      if ((await client('GET', '/v1/visits/broken')).status === 502) break
      await sleep(50)
    }
    // One is counted already.
    for (let n = 1; n < each; n += 1) t.match(await client('GET', '/v1/visits/broken'), { status: 502 })
  }
  t.match((await ending).body, {
    state: 'failed',
    error: { code: 'CANARY_FAILED', message: new RegExp(`failed in ${2 * each} of ${2 * each} requests`) },
  })
  for (const client of clients)
    t.match(await client('GET', '/v1/visits/version'), { status: 200, body: { version: '1.0.0' } })
})
