// A storm of one tenant through a whole kernel: who is refused is told when to come back, nobody waits with a database
// connection in his hand, and another tenant is served.
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'

const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const thing = entity('Thing', { name: t.text() }, { path: 'things' })
export default definePlugin({
  name: 'things', title: 'Things', entities: { thing },
  actions: { thing: { slow: { run: () => { const end = Date.now() + 150; while (Date.now() < end); return {} } } } },
})
`

t.test('a storm of actions', async (t) => {
  const root = await makeInstallation(t, { '@test/things': { source } })
  const { openTenant } = await testKernel(t, { pluginsRoot: root })
  const { owner } = await openTenant('things')
  const { owner: neighbour } = await openTenant('things')
  const create = async (send: typeof owner) =>
    (await send('POST', '/v1/things/things', { name: 'x' })).body['id']
  const id = await create(owner)
  const theirs = await create(neighbour)
  t.equal((await neighbour('POST', `/v1/things/things/${theirs}/slow`)).status, 200)

  let over = 0
  const storm = Array.from({ length: 130 }, async () => {
    const reply = await owner('POST', `/v1/things/things/${id}/slow`)
    over += 1
    return reply
  })
  while (over < 26) await new Promise((resolve) => setTimeout(resolve, 10))
  // Each of the storm's actions locks the same record: had they begun, no connection would be left.
  for (let n = 0; n < 3; n += 1) {
    t.equal((await neighbour('GET', `/v1/things/things/${theirs}`)).status, 200)
    t.equal((await neighbour('POST', `/v1/things/things/${theirs}/slow`)).status, 200)
  }
  t.ok(over < 130, 'the storm is not over')
  const replies = await Promise.all(storm)
  const refused = replies.filter(({ status }) => status === 503)
  t.ok(refused.length >= 26, `${refused.length} are refused`)
  t.match(refused[0], { body: { code: 'MODULE_UNAVAILABLE' }, headers: { 'retry-after': '1' } })
  t.ok(replies.some(({ status }) => status === 200))
})
