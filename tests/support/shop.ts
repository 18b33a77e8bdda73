// A kernel with finance and orders, and a tenant whose shop is open.
import { fileURLToPath } from 'node:url'
import type { Config } from '../../kernel/src/config.ts'
import { type Send, type TestKernel, testKernel } from './kernel.ts'
import { openShop, type Shop, type ShopOptions } from './order-run.ts'

export const withOrders = fileURLToPath(new URL('oms-installation', import.meta.url))

export interface ShopKernel extends Shop {
  readonly kernel: TestKernel
  readonly tenant: { readonly slug: string; readonly id: string; readonly owner: Send }
  readonly owner: Send
  /** A member with this role, as the module suggests it. */
  join(module: string, role: string): Promise<Send>
  stockOf(item: string): Promise<{ onHand: string; reserved: string; value: string }>
}

interface Ending {
  teardown(work: () => Promise<void>): void
}

export async function shopKernel(
  t: Ending,
  options: ShopOptions,
  overrides: Partial<Config> = {},
): Promise<ShopKernel> {
  const kernel = await testKernel(t, { pluginsRoot: withOrders, ...overrides })
  const tenant = await kernel.openTenant('finance', 'oms')
  const { owner } = tenant
  const shop = await openShop(owner, options)
  const memberIds = async () => {
    const { body } = await owner('GET', '/v1/tenant/members?limit=200')
    return (body['items'] as { userId: string }[]).map(({ userId }) => userId)
  }
  return {
    ...shop,
    kernel,
    tenant,
    owner,
    async join(module, role) {
      const before = await memberIds()
      const send = await kernel.addMember(tenant, 'member')
      const id = (await memberIds()).find((one) => !before.includes(one))
      const plugin = kernel.kernel.registry.plugins.get(module)
      const rules = (plugin?.manifest.roles[role]?.can ?? []).map((rule) => ({
        permission: `${module}.${typeof rule === 'string' ? rule : rule.permission}`,
        effect: 'allow',
      }))
      const made = await owner('POST', '/v1/tenant/roles', { name: `${module} ${role}`, rules })
      const given = await owner('POST', `/v1/tenant/members/${id}/roles`, { role: made.body['id'] })
      if (given.status >= 300) throw new Error(JSON.stringify([made.body, given.body]))
      return send
    },
    async stockOf(item) {
      const { body } = await owner('GET', `/v1/oms/stock?item=${item}`)
      const [stock] = body['items'] as { onHand: string; reserved: string; value: { amount: string } }[]
      if (!stock) throw new Error(`no stock of ${item}`)
      return { onHand: stock.onHand, reserved: stock.reserved, value: stock.value.amount }
    },
  }
}
