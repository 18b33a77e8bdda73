// Orders that go from the draft to the invoice while whatever works for them is killed; and whether, afterwards, everything
// was done once.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Test } from 'tap'
import { randomFrom } from '../isolation/hunt/random.ts'
import { testInstallation } from './database.ts'
import { kernelsUnderFire } from './kernels-under-fire.ts'
import { type MortalStore, mortalPostgres, mortalRedis } from './mortal-stores.ts'
import { openTenantAt } from './operated-processes.ts'
import { wrongInBooks } from './order-checks.ts'
import { openShop, runOrders } from './order-run.ts'
import { noRedis } from './redis-server.ts'
import { withOrders } from './shop.ts'

export interface OrdersUnderFire {
  readonly store: 'postgresql' | 'redis'
  readonly orders: number
  readonly seed: number
  /** Between two kills, on average. */
  readonly pauseMs: number
}

const kernels = 2
const restMs = 120_000

const wrongEvents = [
  {
    what: 'a shipped order that was not told of exactly once',
    sql: `select o.number, count(e.id) from plugin_oms.order o
            left join kernel.outbox e on e.tenant_id = o.tenant_id and e.module = 'oms' and e.event = 'order.shipped'
             and e.payload->>'order' = o.id::text
           where o.tenant_id = $1 and o.status = 'shipped' group by o.id, o.number having count(e.id) <> 1`,
  },
  {
    what: 'an event of a shipment without exactly one task of finance that is done',
    sql: `select e.id, count(k.id) from kernel.outbox e
            left join kernel.task k on k.tenant_id = e.tenant_id and k.event_id = e.id and k.module = 'finance' and k.state = 'done'
           where e.tenant_id = $1 and e.module = 'oms' and e.event = 'order.shipped' group by e.id having count(k.id) <> 1`,
  },
  {
    what: 'a task that is a dead letter',
    sql: `select name, attempt, error from kernel.task where tenant_id = $1 and state = 'dead'`,
  },
]

/** How long until nothing is left to do; fails where that takes too long. */
async function rest(admin: pg.Client): Promise<number> {
  const began = Date.now()
  for (;;) {
    const { rows } = await admin.query<{ left: number }>(
      `select (select count(*) from kernel.outbox where dispatched_at is null)::int
            + (select count(*) from kernel.task where state in ('waiting', 'running'))::int as left`,
    )
    const left = rows[0]?.left ?? 0
    if (left === 0) return Date.now() - began
    if (Date.now() - began > restMs) {
      const tasks = await admin.query(
        `select state, count(*), max(attempt) as attempt, max(run_at) as run_at, max(error::text) as error from kernel.task group by state`,
      )
      throw new Error(`${left} events and tasks are left: ${JSON.stringify(tasks.rows)}`)
    }
    await sleep(100)
  }
}

export async function ordersUnderFire(t: Test, options: OrdersUnderFire): Promise<void> {
  const { store, orders, seed, pauseMs } = options
  const postgresql = await mortalPostgres(t)
  const redis = store === 'redis' ? await mortalRedis(t) : undefined
  if (store === 'redis' && !redis) return void t.pass(`left out: ${noRedis}`)
  t.comment(`${orders} orders, ORDER_SEED=${seed}`)
  const stores: Record<string, MortalStore> = { postgresql, ...(redis ? { redis } : {}) }
  const fire = await kernelsUnderFire(t, {
    kernels,
    random: randomFrom(seed),
    stores,
    environment: {
      DATABASE_URL: postgresql.url,
      PLINTH_SECRET: testInstallation.secret,
      PLINTH_ROLE_PREFIX: testInstallation.rolePrefix,
      PLINTH_PLUGINS_ROOT: withOrders,
      PLINTH_RETRY_FIRST_MS: '200',
      PLINTH_RETRY_LONGEST_MS: '2000',
      PLINTH_EVENT_ATTEMPTS: '50',
      ...(redis ? { REDIS_URL: redis.url } : {}),
    },
  })
  const tenant = await openTenantAt(await fire.url(), 'finance', 'oms')
  const send = fire.send(tenant)
  const shop = await openShop(send, { items: 5, stock: String(orders * 3) })

  const peace = new AbortController()
  const began = Date.now()
  const firing = fire.fire(pauseMs, peace.signal)
  const ids = await runOrders(send, shop, orders)
    .catch((error: unknown) => {
      console.error(fire.output())
      throw error
    })
    .finally(async () => {
      peace.abort()
      await firing
    })
  const strikes = await firing
  const ranMs = Date.now() - began
  const admin = new pg.Client({ connectionString: postgresql.url })
  await admin.connect()
  try {
    const restedMs = await rest(admin)
    t.comment(`killed: ${JSON.stringify(strikes)}; orders ${ranMs} ms, until nothing was left ${restedMs} ms`)
    t.same(await wrongInBooks(admin, tenant.id, { invoiced: true }), [], 'books, stock and invoices agree')
    for (const { what, sql } of wrongEvents) {
      const { rows } = await admin.query(sql, [tenant.id])
      t.same(rows, [], `not once ${what}`)
    }
    const { rows } = await admin.query<{ id: string; status: string }>(
      'select id, status from plugin_oms.order where tenant_id = $1',
      [tenant.id],
    )
    t.same(rows.map(({ id }) => id).sort(), [...ids].sort(), 'no order is missing, none was made twice')
    t.ok(
      rows.every(({ status }) => status === 'shipped'),
      'each is shipped',
    )
  } finally {
    await admin.end()
  }
}

/** How many of them, from which seed: `ORDER_RUNS=1000 ORDER_SEED=7 TEST_TIMEOUT_MS=1800000 npm test -- failure/order-runs`. */
export const askedOrders = (usual: number) => ({
  orders: Number(process.env['ORDER_RUNS'] ?? usual),
  seed: Number(process.env['ORDER_SEED'] ?? Date.now() % 1_000_000),
  pauseMs: 400,
})
