// An operator walls a plugin in further while it is served: a process for each tenant, V8 without its compilers.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'

const source = `
import { definePlugin } from '@plinth/sdk'
let seen = 0
export default definePlugin({
  name: 'careful', title: 'Careful',
  routes: { count: { method: 'GET', path: '/count', run: () => ({ count: ++seen }) } },
})`

t.test(
  'an operator raises the isolation of a plugin',
  { skip: process.platform !== 'linux' && 'reads /proc' },
  async (t) => {
    const root = await makeInstallation(t, { '@test/careful': { source, migrations: false } })
    const { kernel, send, openTenant } = await testKernel(t, { pluginsRoot: root, operatorToken })
    const operator = operatorOf(send)
    const one = await openTenant('careful')
    const other = await openTenant('careful')
    const count = async (owner: typeof one.owner) => (await owner('GET', '/v1/careful/count')).body['count']
    const commandLines = () => {
      const hosts = kernel.registry.served('careful')?.stable?.host.stats?.().hosts ?? []
      return hosts.map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
    }
    const isolate = (hostPerTenant: boolean, jitless: boolean) =>
      operator('PUT', '/v1/operator/plugins/careful/isolation', { hostPerTenant, jitless })

    t.same([await count(one.owner), await count(one.owner), await count(other.owner)], [1, 2, 1])
    t.equal(commandLines().length, 1, 'one process serves both')

    await t.test('from the next request on', async (t) => {
      t.match(await isolate(true, true), { status: 200, body: { hostPerTenant: true, jitless: true } })
      t.same([await count(one.owner), await count(other.owner)], [1, 1], 'new processes serve')
      t.equal(commandLines().length, 2, 'each tenant has its own')
      for (const line of commandLines()) t.match(line, /--jitless/)
    })

    await t.test('and takes it back', async (t) => {
      t.match(await isolate(false, false), { status: 200 })
      t.same([await count(one.owner), await count(other.owner)], [1, 1])
      const lines = commandLines()
      t.equal(lines.length, 1)
      t.notMatch(lines[0], /--jitless/)
    })
  },
)
