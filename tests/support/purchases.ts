// A kernel with a sandboxed module whose purchases people have to agree to, and the organisation beside it.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DefencesOff } from '../../kernel/src/defences.ts'
import { makeInstallation } from './installation.ts'
import { repository, type Send, type TestKernel, testKernel } from './kernel.ts'

const source = `
import { definePlugin, entity, fail, t, use } from '@plinth/sdk'
const purchase = entity('Purchase', {
  what: t.text().range(1, 200),
  total: t.money(),
  department: t.ref('organisation.unit').optional(),
  paidBy: t.text().optional(),
  status: t.state({ draft: ['submitted', 'approved', 'declined'], submitted: ['approved', 'declined'], approved: ['paid'], declined: [], paid: [] }),
})
const approval = { amount: 'total', unit: 'department', rejected: 'decline' }
export default definePlugin({
  name: 'purchases', title: 'Purchases',
  entities: { purchase },
  needs: { approvals: true },
  errors: { BUDGET_SPENT: { status: 409, message: 'The budget is spent on {what}.' } },
  actions: { purchase: {
    approve: { approval, to: 'approved', run(ctx, { what }) {
      if (what === 'yacht') fail('BUDGET_SPENT', { what })
      return { paidBy: ctx.user.id }
    } },
    decline: { to: 'declined' },
    pay: { approval: { required: true }, input: { paidBy: t.text() }, to: 'paid', run: (_ctx, _purchase, { paidBy }) => ({ paidBy }) },
    submit: { input: { chain: t.text().optional() }, async run(ctx, purchase, { chain }) {
      const { state } = await ctx.approvals.request({ entity: 'purchase', record: purchase.id, action: 'approve', ...(chain ? { chain } : {}) })
      return { status: state === 'notNeeded' ? 'approved' : 'submitted' }
    } },
    askBoss: { input: { record: t.text(), as: t.text(), action: t.text() }, async run(ctx, _purchase, { record, as, action }) {
      await ctx.approvals.request({ entity: as, record, action, amount: { amount: '1', currency: 'USD' } })
    } },
  } },
  roles: { member: { can: ['purchase.*'] } },
})`

export const purchases = '/v1/purchases/purchases'

export interface Person {
  readonly id: string
  readonly send: Send
}

export interface PurchaseKernel {
  readonly kernel: TestKernel
  readonly tenant: { readonly slug: string; readonly id: string; readonly owner: Send }
  /** A member of the tenant. */
  join(role?: 'admin' | 'member'): Promise<Person>
  /** Id of a new purchase. */
  buy(send: Send, amount: string, more?: object): Promise<string>
  /** A chain for `approve`. */
  chain(values: object): Promise<string>
}

interface Ending {
  teardown(work: () => Promise<unknown>): void
}

export async function purchaseKernel(t: Ending, off?: DefencesOff): Promise<PurchaseKernel> {
  const root = await makeInstallation(t, { '@test/purchases': { source } })
  await cp(join(repository, 'plugins/organisation'), join(root, 'packages/organisation'), { recursive: true })
  await symlink(join(root, 'packages/organisation'), join(root, 'node_modules/@plinth/organisation'))
  const file = join(root, 'package.json')
  const own = JSON.parse(await readFile(file, 'utf8'))
  own.dependencies['@plinth/organisation'] = '*'
  await writeFile(file, JSON.stringify(own))
  await mkdir(join(root, 'packages'), { recursive: true })
  const kernel = await testKernel(t, { pluginsRoot: root }, off ? { off } : {})
  const tenant = await kernel.openTenant('organisation', 'purchases')
  const known = new Set<string>()
  const members = async () => {
    const { body } = await tenant.owner('GET', '/v1/tenant/members?limit=200')
    return (body['items'] as { userId: string }[]).map(({ userId }) => userId)
  }
  for (const id of await members()) known.add(id)
  return {
    kernel,
    tenant,
    async join(role = 'member') {
      const send = await kernel.addMember(tenant, role)
      const id = (await members()).find((one) => !known.has(one)) ?? ''
      known.add(id)
      return { id, send }
    },
    async buy(send, amount, more = {}) {
      const values = { what: 'chairs', total: { amount, currency: 'USD' }, ...more }
      const reply = await send('POST', purchases, values)
      if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
      return String(reply.body['id'])
    },
    async chain(values) {
      const chain = {
        title: 'A chain',
        module: 'purchases',
        entity: 'purchase',
        action: 'approve',
        ...values,
      }
      const reply = await tenant.owner('POST', '/v1/tenant/approval-chains', chain)
      if (reply.status !== 201) throw new Error(JSON.stringify(reply.body))
      return String(reply.body['id'])
    },
  }
}
