// A tenant with people and a plugin whose records have all that rules can speak of: an author, an amount, an office, a
// field that not everybody may see, and an action.
import { makeInstallation } from './installation.ts'
import { type Send, type TestKernel, type TestParts, testKernel } from './kernel.ts'

const source = `
import { definePlugin, entity, t } from '@plinth/sdk'
const office = entity('Office', { name: t.text() })
const paper = entity('Paper', {
  title: t.text().range(1, 200),
  amount: t.decimal().default('0'),
  secret: t.text().optional(),
  office: t.ref('office').optional(),
  status: t.state({ draft: ['approved'], approved: [] }),
}, { path: 'papers', scope: { unit: 'office' } })
export default definePlugin({
  name: 'papers', title: 'Papers', entities: { office, paper },
  actions: { paper: { approve: { to: 'approved' } } },
  routes: { seen: { method: 'GET', path: '/seen', run: async (ctx) => (await ctx.entities.paper.list({}, { limit: 200 })).items } },
  roles: {
    member: { can: ['office.read'] },
    clerk: { title: 'Clerk', can: ['paper.create', { permission: 'paper.read', own: true }] },
  },
})`

export const papers = '/v1/papers/papers'

export interface Desk {
  readonly kernel: TestKernel
  /** Its plugins. */
  readonly root: string
  readonly tenant: { readonly id: string; readonly slug: string; readonly owner: Send }
  readonly admin: Send
  readonly ada: Send
  readonly bob: Send
  /** Ids of the people, in the order of owner, admin, ada, bob. */
  readonly ids: readonly [owner: string, admin: string, ada: string, bob: string]
  /** A role made by the owner, given to the people named; its id. */
  give(rules: readonly object[], ...people: readonly string[]): Promise<string>
  take(role: string, person: string): Promise<void>
}

interface Test {
  teardown(work: () => Promise<void>): void
}

export async function openDesk(t: Test, parts: TestParts = {}): Promise<Desk> {
  const root = await makeInstallation(t, { '@test/papers': { source } })
  const kernel = await testKernel(t, { pluginsRoot: root }, parts)
  const tenant = await kernel.openTenant('papers')
  const member = async (name: string, role: 'admin' | 'member') => {
    const email = `${name}-${tenant.slug}@example.com`
    const send = await kernel.signUp(tenant.slug, email)
    await tenant.owner('POST', '/v1/tenant/members', { email, role })
    return send
  }
  const admin = await member('admin', 'admin')
  const ada = await member('ada', 'member')
  const bob = await member('bob', 'member')
  const { rows } = await kernel.database.admin.query<{ user_id: string }>(
    'select user_id from kernel.membership where tenant_id = $1 order by created_at',
    [tenant.id],
  )
  const [a = '', b = '', c = '', d = ''] = rows.map(({ user_id }) => user_id)
  let made = 0
  return {
    kernel,
    root,
    tenant,
    admin,
    ada,
    bob,
    ids: [a, b, c, d],
    async give(rules, ...people) {
      made += 1
      const role = await tenant.owner('POST', '/v1/tenant/roles', { name: `Role ${made}`, rules })
      if (role.status !== 201) throw new Error(JSON.stringify(role.body))
      for (const person of people) {
        const given = await tenant.owner('POST', `/v1/tenant/members/${person}/roles`, {
          role: role.body['id'],
        })
        if (given.status !== 204) throw new Error(JSON.stringify(given.body))
      }
      return String(role.body['id'])
    },
    async take(role, person) {
      await tenant.owner('DELETE', `/v1/tenant/members/${person}/roles/${role}`)
    },
  }
}

export const allow = (permission: string, rest: object = {}) => ({ permission, effect: 'allow', ...rest })
export const deny = (permission: string, rest: object = {}) => ({ permission, effect: 'deny', ...rest })
