// Orders from the draft to the invoice over two kernel processes, of which one after the other is killed: nothing of any
// order is lost, and nothing is done twice.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testDatabase, testInstallation } from '../support/database.ts'
import { startKernelProcess } from '../support/kernel-process.ts'
import { openTenantAt } from '../support/operated-processes.ts'
import { queueEmpty, wrongInBooks } from '../support/order-checks.ts'
import { anyOf, openShop, runOrders } from '../support/order-run.ts'
import { withOrders } from '../support/shop.ts'

const orders = 60
const killedEveryMs = 700
const kills = 3

t.test('orders while kernel processes are killed', async (t) => {
  const database = await testDatabase(t)
  const environment = {
    DATABASE_URL: database.adminUrl,
    PLINTH_SECRET: testInstallation.secret,
    PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
    PLINTH_PLUGINS_ROOT: withOrders,
  }
  const start = () => startKernelProcess(t, environment)
  const running = [await start(), await start()]
  const tenant = await openTenantAt(running[0]?.url ?? '', 'finance', 'oms')
  const send = anyOf(() => running.map(({ url }) => tenant.at(url)))
  const shop = await openShop(send, { items: 4, stock: '1000' })

  let isOver = false
  async function killInTurns(): Promise<number> {
    let killed = 0
    for (; killed < kills && !isOver; killed += 1) {
      await sleep(killedEveryMs)
      const victim = running[killed % 2]
      await victim?.end('SIGKILL')
      running[killed % 2] = await start()
    }
    return killed
  }
  const killing = killInTurns()
  const ids = await runOrders(send, shop, orders, 6)
  isOver = true
  t.ok((await killing) > 0, 'somebody was killed')
  t.equal(ids.length, orders)
  await queueEmpty(database.admin, tenant.id)
  t.same(await wrongInBooks(database.admin, tenant.id, { invoiced: true }), [])
  const { rows } = await database.admin.query(
    `select (select count(*)::int from plugin_oms.order where status = 'shipped') as shipped,
            (select count(*)::int from plugin_finance.invoice) as invoices`,
  )
  t.same(rows, [{ shipped: orders, invoices: orders }])
})
