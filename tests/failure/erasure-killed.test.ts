// The kernel is killed while it erases a tenant: started again, it goes on, and the receipt counts every row once.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testDatabase, testInstallation } from '../support/database.ts'
import { makeInstallation } from '../support/installation.ts'
import { sendTo, startKernelProcess } from '../support/kernel-process.ts'
import { openTenantAt } from '../support/operated-processes.ts'
import { operatorOf, operatorToken } from '../support/operator.ts'
import { visits } from '../support/visits.ts'
import { someoneWaitsForALock } from '../support/waiting.ts'

t.test('killed with the rows of one module gone and those of another going', async (t) => {
  const database = await testDatabase(t)
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
    PLINTH_OPERATOR_TOKEN: operatorToken,
    PLINTH_SIGNED_TENANT: 'on',
    PLINTH_PLUGINS_ROOT: await makeInstallation(t, {
      '@test/calls': { source: visits('1.0.0', { name: 'calls' }) },
      '@test/visits': { source: visits('1.0.0') },
    }),
  }
  const first = await startKernelProcess(t, environment)
  const { slug, at } = await openTenantAt(first.url, 'calls', 'visits')
  const owner = at(first.url)
  for (const who of ['ada', 'bob', 'eve']) {
    await owner('POST', '/v1/calls/visits', { who })
    await owner('POST', '/v1/visits/visits', { who })
  }
  const operator = operatorOf(sendTo(first.url))
  t.match(await operator('POST', `/v1/operator/tenants/${slug}/close`, { days: 3 }), { status: 200 })

  // The tables of `calls` come first. Those of `visits` have to wait.
  const { admin } = database
  await admin.query('begin')
  await admin.query('select from plugin_visits.visit for update')
  const asked = sendTo(first.url)(
    'POST',
    `/v1/operator/tenants/${slug}/erase`,
    { confirm: slug },
    {
      authorization: `Bearer ${operatorToken}`,
    },
  )
  t.match(await asked, { status: 202, body: { state: 'running' } })
  await someoneWaitsForALock(await database.connect({ connectionString: database.adminUrl }))
  await first.end('SIGKILL')
  await admin.query('rollback')

  const second = await startKernelProcess(t, environment)
  const again = operatorOf(sendTo(second.url))
  for (;;) {
    const { body } = await again('GET', `/v1/operator/tenants/${slug}/receipt`)
    if (body['state'] === 'succeeded') {
      t.match(body, { tables: { 'plugin_calls.visit': 3, 'plugin_visits.visit': 3, 'kernel.membership': 1 } })
      break
    }
    await sleep(50)
  }
  for (const table of ['plugin_calls.visit', 'plugin_visits.visit', 'kernel.membership'])
    t.equal((await admin.query(`select from ${table}`)).rowCount, 0, table)
})
