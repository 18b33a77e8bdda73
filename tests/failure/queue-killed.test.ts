// A kernel process that is killed while it does tasks: the other does them, once.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testDatabase, testInstallation } from '../support/database.ts'
import { startKernelProcess } from '../support/kernel-process.ts'
import { openTenantAt } from '../support/operated-processes.ts'
import { allEnded, shopOf, until } from '../support/queue-lab.ts'
import { queueInstallation } from '../support/queue-plugins.ts'

t.test('what a killed process had in hand is done by the other', async (t) => {
  const database = await testDatabase(t)
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
    PLINTH_PLUGINS_ROOT: await queueInstallation(t),
    PLINTH_TASK_LEASE_MS: '2000',
    PLINTH_RETRY_FIRST_MS: '100',
  }
  const survivor = await startKernelProcess(t, environment)
  const tenant = await openTenantAt(survivor.url, 'shop', 'books')
  const shop = shopOf({ ...tenant, owner: tenant.at(survivor.url) }, database)
  const orders = await Promise.all([shop.order(), shop.order(), shop.order(), shop.order()])
  for (let round = 0; round < 2; round += 1) {
    const victim = await startKernelProcess(t, environment)
    await Promise.all(orders.map((order) => shop.tell(order, 'wait40', round * 25, 25)))
    await sleep(300 + 200 * round)
    await victim.end('SIGKILL')
  }
  const tasks = await until(shop.tasks, (all) => all.length === 200 && allEnded(all), 90_000)
  t.equal(tasks.length, 200)
  t.ok(tasks.every(({ state }) => state === 'done'))
  const entries = await shop.entries()
  for (const order of orders) {
    const heard = entries.filter((entry) => entry.order === order).map(({ number }) => number)
    t.strictSame(
      heard,
      Array.from({ length: 50 }, (_, at) => at),
      'each once, in order',
    )
  }
})
