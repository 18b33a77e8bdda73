// Attacks on permissions by people of the tenant itself, who want more than they were given, and by another tenant.
import type { Defence } from '../../kernel/src/defences.ts'
import type { Reply, Send } from '../support/kernel.ts'
import { allow, type Desk, deny, papers } from '../support/papers.ts'

export interface Plot extends Desk {
  /** ada's: she manages roles and sees cheap papers, and no secrets. */
  readonly managing: string
  /** Nobody's, with everything in papers. */
  readonly everything: string
  /** bob's: a denial that he would be rid of; he manages roles too. */
  readonly denied: string
  /** The owner's paper, dear and secret. */
  readonly dear: string
  /** Another tenant with the same plugin, and a role and a refusal of it. */
  readonly other: {
    readonly owner: Send
    readonly role: string
    readonly person: string
    readonly decision: string
  }
}

export interface RoleAttack {
  readonly attack: string
  readonly defence: string
  readonly expected: RegExp
  /** With this down the same request succeeds: its answer is this. */
  readonly without?: readonly [Defence, RegExp]
  readonly make: (plot: Plot) => Promise<Reply>
}

export const canary = 'secret-51c9'

export async function plotWith(desk: Desk): Promise<Plot> {
  const { tenant, kernel, ids } = desk
  const { body: dear } = await tenant.owner('POST', papers, { title: 'dear', amount: '1000', secret: canary })
  const other = await kernel.openTenant('papers')
  const { rows } = await kernel.database.admin.query<{ user_id: string }>(
    'select user_id from kernel.membership where tenant_id = $1',
    [other.id],
  )
  const { body: role } = await other.owner('POST', '/v1/tenant/roles', { name: 'Theirs', rules: [] })
  const stranger = await kernel.addMember(other, 'member')
  const { body: refusal } = await stranger('GET', papers)
  return {
    ...desk,
    managing: await desk.give(
      [
        allow('tenant.roles.manage'),
        allow('papers.paper.read', {
          when: [{ field: 'amount', op: 'lt', value: '100' }],
          fields: ['title', 'amount'],
        }),
        allow('papers.paper.create'),
        allow('papers.paper.approve'),
      ],
      ids[2],
    ),
    everything: await desk.give([allow('papers.*')]),
    denied: await desk.give(
      [allow('tenant.roles.manage'), allow('papers.paper.*'), deny('papers.paper.approve')],
      ids[3],
    ),
    dear: String(dear['id']),
    other: {
      owner: other.owner,
      role: String(role['id']),
      person: rows[0]?.user_id ?? '',
      decision: String(refusal['decision']),
    },
  }
}

const forbidden = /^{"status":403,.*FORBIDDEN/
const notFound = /^{"status":404,.*RECORD_NOT_FOUND/
const done = /^{"status":20[0-4]/
const roles = '/v1/tenant/roles'
const grants = 'ownGrants'

const granting = (attack: string, make: RoleAttack['make']): RoleAttack => ({
  attack,
  make,
  defence: grants,
  expected: forbidden,
  without: [grants, done],
})
const named = (attack: string, defence: string, expected: RegExp, make: RoleAttack['make']): RoleAttack => ({
  attack,
  defence,
  expected,
  make,
})
const reading = (attack: string, query: string, expected = forbidden): RoleAttack => ({
  attack,
  defence: 'ability',
  expected,
  without: ['ability', new RegExp(`^{"status":200.*${canary}`)],
  make: ({ ada }) => ada('GET', `${papers}${query}`),
})

const newRole = (send: Send, ...rules: object[]) =>
  send('POST', roles, { name: `New ${JSON.stringify(rules).length} ${Math.random()}`, rules })
const inADay = () => new Date(Date.now() + 86_400_000).toISOString()
const lend = (send: Send, borrower: string, ...permissions: string[]) =>
  send('POST', '/v1/tenant/delegations', { borrower, permissions, endsAt: inADay() })

export const roleAttacks: readonly RoleAttack[] = [
  granting('a role with a permission that its maker lacks', ({ ada }) =>
    newRole(ada, allow('papers.paper.delete')),
  ),
  granting('a role with all of a module', ({ ada }) => newRole(ada, allow('papers.*'))),
  granting('a role with more records than its maker has', ({ ada }) =>
    newRole(ada, allow('papers.paper.read', { fields: ['title'] })),
  ),
  granting('a role with more fields than its maker has', ({ ada }) =>
    newRole(ada, allow('papers.paper.read', { when: [{ field: 'amount', op: 'lt', value: '100' }] })),
  ),
  granting('a role with more of the tenant', ({ ada }) => newRole(ada, allow('tenant.settings.update'))),
  granting('a role with all of the tenant', ({ ada }) => newRole(ada, allow('tenant.*'))),
  granting('a role that somebody else made, for himself', ({ ada, ids, everything }) =>
    ada('POST', `/v1/tenant/members/${ids[2]}/roles`, { role: everything }),
  ),
  granting('more rules in the role that he has', ({ ada, managing }) =>
    ada('PATCH', `${roles}/${managing}`, { rules: [allow('tenant.roles.manage'), allow('papers.*')] }),
  ),
  granting('his own role without its denial', ({ bob, denied }) =>
    bob('PATCH', `${roles}/${denied}`, { rules: [allow('tenant.roles.manage'), allow('papers.paper.*')] }),
  ),
  granting('a new role for what he is denied', ({ bob }) => newRole(bob, allow('papers.paper.approve'))),
  named(
    'a role for an owner, by a member',
    'nobody changes who stands above him',
    forbidden,
    ({ ada, ids, managing }) => ada('POST', `/v1/tenant/members/${ids[0]}/roles`, { role: managing }),
  ),
  named(
    'a role of another tenant, read',
    'roles are looked up in the tenant',
    notFound,
    ({ tenant, other }) => tenant.owner('GET', `${roles}/${other.role}`),
  ),
  named(
    'a role of another tenant, changed',
    'roles are looked up in the tenant',
    notFound,
    ({ tenant, other }) => tenant.owner('PATCH', `${roles}/${other.role}`, { name: 'Mine' }),
  ),
  named(
    'a role of another tenant, given',
    'roles are looked up in the tenant',
    notFound,
    ({ tenant, other, ids }) =>
      tenant.owner('POST', `/v1/tenant/members/${ids[2]}/roles`, { role: other.role }),
  ),
  named(
    'the roles of a person of another tenant',
    'members are looked up in the tenant',
    notFound,
    ({ tenant, other }) => tenant.owner('GET', `/v1/tenant/members/${other.person}/roles`),
  ),
  named(
    'a loan to a person of another tenant',
    'members are looked up in the tenant',
    notFound,
    ({ tenant, other }) => lend(tenant.owner, other.person, 'papers.paper.read'),
  ),
  named('a loan of what the lender lacks', 'only what is one’s own is lent', forbidden, ({ ada, ids }) =>
    lend(ada, ids[3], 'papers.paper.delete'),
  ),
  named(
    'a loan of all of a module by who has a part',
    'only what is one’s own is lent',
    forbidden,
    ({ ada, ids }) => lend(ada, ids[3], 'papers.*'),
  ),
  named(
    'a loan of what was lent',
    'only what is one’s own is lent',
    forbidden,
    async ({ tenant, ada, ids }) => {
      await lend(tenant.owner, ids[2], 'papers.office.delete')
      return lend(ada, ids[3], 'papers.office.delete')
    },
  ),
  named('a loan of a permission of the tenant', 'it is not lent at all', /NOT_LENDABLE/, ({ tenant, ids }) =>
    lend(tenant.owner, ids[3], 'tenant.roles.manage'),
  ),
  named('a question about somebody, by a member', 'tenant.access.explain', forbidden, ({ ada, ids }) =>
    ada('GET', `/v1/tenant/access/explain?user=${ids[0]}&action=papers.paper.read`),
  ),
  named(
    'the refusal of another tenant',
    'it is sealed for its tenant',
    /DECISION_UNKNOWN/,
    ({ tenant, other }) => tenant.owner('GET', `/v1/tenant/access/explain?decision=${other.decision}`),
  ),
  named('a refusal that was changed', 'it is sealed', /DECISION_UNKNOWN/, ({ other }) =>
    other.owner('GET', `/v1/tenant/access/explain?decision=${other.decision.slice(0, -4)}AAAA`),
  ),
  reading('a list filtered by a field that may not be read', `?secret=${canary}`),
  reading('a list filtered by not having a value', '?secret[ne]=x'),
  reading('a list filtered by a part of it', '?secret[contains]=51c9'),
  reading('a list sorted by it', '?sort=secret'),
  reading('a list of what may be read', '', /^{"status":200,"body":{"items":\[\]}}/),
  {
    attack: 'a record that the rule does not let through, by its id',
    defence: 'ability',
    expected: notFound,
    without: ['ability', /^{"status":200/],
    make: ({ ada, dear }) => ada('GET', `${papers}/${dear}`),
  },
  {
    attack: 'his own paper, approved by who made it',
    defence: 'recordDuties',
    expected: /^{"status":403,.*DUTY_CONFLICT/,
    without: ['recordDuties', /^{"status":200/],
    make: async ({ tenant }) => {
      await tenant.owner('POST', '/v1/tenant/duties', {
        title: 'Four eyes',
        first: 'papers.paper.create',
        second: 'papers.paper.approve',
        within: 'record',
      })
      const { body } = await tenant.owner('POST', papers, { title: 'his own' })
      return tenant.owner('POST', `${papers}/${String(body['id'])}/approve`)
    },
  },
]
