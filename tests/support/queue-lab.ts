// A kernel with the two plugins of queue-plugins.ts, over one of the two stores of the queue.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Config } from '../../kernel/src/config.ts'
import { type Send, type TestKernel, type TestParts, testKernel } from './kernel.ts'
import { queueInstallation } from './queue-plugins.ts'
import { hasRedis, noRedis, type RedisServer, startRedis } from './redis-server.ts'

export interface Entry {
  readonly order: string
  readonly say: string
  readonly number: number
}

export interface TaskSeen {
  readonly name: string
  readonly state: string
  readonly attempt: number
  readonly error: { readonly code: string; readonly message: string } | null
}

export interface Shop {
  readonly id: string
  readonly slug: string
  readonly owner: Send
  /** A new order. */
  order(): Promise<string>
  /** Answers with the status. */
  tell(order: string, say: string, number?: number, count?: number): Promise<number>
  /** What the books have written down, in the order in which they did. */
  entries(): Promise<Entry[]>
  tasks(): Promise<TaskSeen[]>
}

export interface QueueLab extends TestKernel {
  openShop(...modules: string[]): Promise<Shop>
  readonly pluginsRoot: string
}

/** Short waits: a test is not to wait for an hour. */
export const quick: Partial<Config> = { retryFirstMs: 50, retryLongestMs: 400, eventAttempts: 3 }

export async function queueLab(
  t: Test,
  overrides: Partial<Config> = {},
  parts: TestParts = {},
): Promise<QueueLab> {
  const pluginsRoot = overrides.pluginsRoot ?? (await queueInstallation(t))
  const lab = await testKernel(t, { ...quick, ...overrides, pluginsRoot }, parts)
  return {
    ...lab,
    pluginsRoot,
    async openShop(...modules) {
      const tenant = await lab.openTenant(...(modules.length > 0 ? modules : ['shop', 'books']))
      return shopOf(tenant, lab.database)
    },
  }
}

export const shopOf = (
  tenant: { id: string; slug: string; owner: Send },
  { admin }: Pick<TestKernel['database'], 'admin'>,
): Shop => ({
  ...tenant,
  order: async () => String((await tenant.owner('POST', '/v1/shop/orders', { name: 'one' })).body['id']),
  tell: async (order, say, number = 0, count = 1) =>
    (await tenant.owner('POST', '/v1/shop/tell', { order, say, number, count })).status,
  // The audit trail has the order, and has a row exactly where there is a record.
  async entries() {
    const { rows } = await admin.query<{ after: Entry }>(
      `select after from kernel.audit where tenant_id = $1 and module = 'books' and action = 'create' order by id`,
      [tenant.id],
    )
    return rows.map(({ after: { order, say, number } }) => ({ order, say, number }))
  },
  async tasks() {
    const { rows } = await admin.query<TaskSeen>(
      'select name, state, attempt, error from kernel.task where tenant_id = $1 order by id',
      [tenant.id],
    )
    return rows
  },
})

/** Asks until the answer is so, and gives it. The bound is for a failing test. */
export async function until<T>(
  ask: () => Promise<T>,
  isSo: (answer: T) => boolean,
  withinMs = 20_000,
): Promise<T> {
  const end = Date.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (isSo(answer) || Date.now() > end) return answer
    await sleep(25)
  }
}

export const allEnded = (tasks: readonly TaskSeen[]): boolean =>
  tasks.length > 0 && tasks.every(({ state }) => state !== 'waiting' && state !== 'running')

export interface StoreInTest {
  readonly name: 'PostgreSQL' | 'Redis'
  readonly config: Partial<Config>
  readonly redis?: RedisServer
}

/** The same tests over both stores; over Redis they are left out, and that is said, where there is none. */
export function overBothStores(t: Test, suite: (t: Test, store: StoreInTest) => Promise<void>): void {
  t.test('over PostgreSQL', (t) => suite(t, { name: 'PostgreSQL', config: {} }))
  t.test('over Redis', hasRedis() ? {} : { skip: noRedis }, async (t) => {
    const redis = await startRedis(t)
    await suite(t, { name: 'Redis', config: { redisUrl: redis.url }, redis })
  })
}
