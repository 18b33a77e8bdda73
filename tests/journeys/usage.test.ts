// What a tenant has used: counted by every kernel process, kept in the database, shown to owners and admins.
import t from 'tap'
import { createClient } from '../../examples/load-journal/client.ts'
import { testDatabase, testInstallation } from '../support/database.ts'
import { greedyPlugin } from '../support/greedy-plugin.ts'
import { makeInstallation } from '../support/installation.ts'
import { testKernel } from '../support/kernel.ts'
import { signUpAt, startKernelProcess } from '../support/kernel-process.ts'

interface Usage {
  readonly module: string
  readonly name: string
  readonly today: number
  readonly month: number
}

t.test('use adds up over two kernel processes', async (t) => {
  const database = await testDatabase(t)
  const root = await makeInstallation(t, { '@test/greedy': { source: greedyPlugin } })
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
    PLINTH_PLUGINS_ROOT: root,
  }
  const one = await startKernelProcess(t, environment)
  const other = await startKernelProcess(t, environment)
  const headers = {
    ...(await signUpAt(one.url, 'ada@example.com', 'correct horse battery')),
    'x-tenant-id': 'greedy',
  }
  const atOne = createClient(one.url, headers)
  const atOther = createClient(other.url, headers)
  await atOne('POST', '/v1/tenants', { name: 'Greedy', slug: 'greedy' })
  await atOne('POST', '/v1/tenant/modules', { module: 'greedy' })
  const use = (at: typeof atOne, times: number) => at('POST', '/v1/greedy/use', { way: 'events', times })
  await use(atOne, 5)
  await use(atOther, 7)
  await use(atOne, 11)
  await t.rejects(use(atOther, 60), 'one that hits the limit')
  // What it has not written yet it writes at its end.
  t.equal(await one.end(), 0)

  const { items } = await atOther<{ items: Usage[] }>('GET', '/v1/tenant/usage')
  const used = (name: string) => items.find((row) => row.module === 'greedy' && row.name === name)
  t.match(used('events'), { today: 5 + 7 + 11 + 50, month: 5 + 7 + 11 + 50, unit: 'count', requestCap: 50 })
  t.match(used('limitHits'), { today: 1 })
  t.match(used('rowsWritten'), { today: 4 * 1_001 })
  t.ok(Number(used('cpu')?.today) > 0)
  t.equal(used('callDepth'), undefined, 'what is no sum is not added up')
  const again = await atOther<{ items: Usage[] }>('GET', '/v1/tenant/usage')
  t.same(again.items, items, 'asking again adds nothing')
})

t.test('use is shown to owners and admins of the tenant alone', async (t) => {
  const root = await makeInstallation(t, { '@test/greedy': { source: greedyPlugin } })
  const kernel = await testKernel(t, { pluginsRoot: root })
  const tenant = await kernel.openTenant('greedy')
  const neighbour = await kernel.openTenant('greedy')
  await tenant.owner('POST', '/v1/greedy/use', { way: 'events', times: 5 })
  const admin = await kernel.addMember(tenant, 'admin')
  t.match(await admin('GET', '/v1/tenant/usage'), { status: 200 })
  const member = await kernel.addMember(tenant, 'member')
  t.match(await member('GET', '/v1/tenant/usage'), {
    status: 403,
    body: { code: 'FORBIDDEN', detail: /tenant\.usage\.read/ },
  })
  t.match(await neighbour.owner('GET', '/v1/tenant/usage'), { status: 200, body: { items: [] } })
  t.match(await kernel.send('GET', '/v1/tenant/usage'), { status: 401 })
})
