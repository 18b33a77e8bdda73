// A kernel with the two plugins of queue-plugins.ts, over one of the two stores of the queue.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Config } from '../../kernel/src/config.ts'
import { type Send, type TestKernel, type TestParts, testKernel } from './kernel.ts'
import { queueInstallation } from './queue-plugins.ts'

export interface Shop {
  readonly id: string
  readonly slug: string
  readonly owner: Send
  /** A new order. */
  order(): Promise<string>
  tell(order: string, say: string, number?: number, count?: number): Promise<number>
  /** What the books have written down, in the order in which they did. */
  entries(): Promise<{ order: string; say: string; number: number }[]>
}

export interface QueueLab extends TestKernel {
  openShop(...modules: string[]): Promise<Shop>
  tasks(
    tenant: string,
  ): Promise<{ name: string; state: string; attempt: number; error: { code: string } | null }[]>
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
    async openShop(...modules) {
      const tenant = await lab.openTenant(...(modules.length > 0 ? modules : ['shop', 'books']))
      return shopOf(tenant)
    },
    async tasks(tenant) {
      const { rows } = await lab.database.admin.query(
        'select name, state, attempt, error from kernel.task where tenant_id = $1 order by id',
        [tenant],
      )
      return rows
    },
  }
}

export const shopOf = (tenant: { id: string; slug: string; owner: Send }): Shop => ({
  ...tenant,
  order: async () => String((await tenant.owner('POST', '/v1/shop/orders', { name: 'one' })).body['id']),
  tell: async (order, say, number = 0, count = 1) =>
    (await tenant.owner('POST', '/v1/shop/tell', { order, say, number, count })).status,
  async entries() {
    const { body } = await tenant.owner('GET', '/v1/books/entries?limit=200&sort=id')
    const { items } = body as unknown as { items: { order: string; say: string; number: number }[] }
    return (items ?? []).map(({ order, say, number }) => ({ order, say, number }))
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
