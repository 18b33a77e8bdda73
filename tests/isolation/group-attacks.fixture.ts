// Attacks by way of groups: by an admin who lets a group give what is not his to give, and by keys of directories.
import type { Defence } from '../../kernel/src/defences.ts'
import { type Reply, type Send, sender, type TestKernel } from '../support/kernel.ts'
import type { SamlKeys } from '../support/saml-keys.ts'

export interface GroupScene {
  readonly place: TestKernel
  readonly tenant: { readonly id: string; readonly slug: string; readonly owner: Send }
  readonly keys: SamlKeys
  /** An admin of the tenant, and what he would be rid of: a role with a right of owners alone. */
  readonly admin: Send
  readonly personal: string
  /** The tenant's directory, and a member with an address of its domain. */
  readonly scim: Send
  readonly member: string
  /** A group that is mapped to `personal`, and is empty. */
  readonly group: string
  /** The directory of another tenant. */
  readonly enemy: Send
  readonly enemyGroup: string
  key(role: 'admin' | 'member', scopes: readonly string[]): Promise<Send>
}

export interface GroupAttack {
  readonly attack: string
  readonly defence: string
  readonly expected: RegExp
  readonly without?: readonly [Defence, RegExp]
  readonly make: (scene: GroupScene) => Promise<Reply>
}

const forbidden = /^{"status":403,.*FORBIDDEN/
const notFound = /^{"status":404,.*RECORD_NOT_FOUND/
const ok = /^{"status":20[0-4]/
const scopes = ['tenant.members.manage', 'tenant.roles.manage']
const groups = '/scim/v2/Groups'
const saml = '/v1/tenant/sso/saml'

const connection = (keys: SamlKeys, groupRoles: object) => ({
  issuer: 'https://idp.example/metadata',
  entryPoint: 'https://idp.example/sso',
  certificates: [keys.certificate],
  groupRoles,
})
const adding = (value: string) =>
  JSON.stringify({ Operations: [{ op: 'add', path: 'members', value: [{ value }] }] })

export const groupAttacks: readonly GroupAttack[] = [
  {
    attack: 'a group of the identity provider that gives what its admin may not give',
    defence: 'ownGrants',
    expected: forbidden,
    without: ['ownGrants', ok],
    make: ({ admin, keys, personal }) =>
      admin('PUT', saml, connection(keys, { mine: personal, dpo: personal })),
  },
  {
    attack: 'a person put into a group that gives what the directory’s account may not give',
    defence: 'ownGrants',
    expected: forbidden,
    without: ['ownGrants', ok],
    make: ({ scim, group, member }) => scim('PATCH', group, adding(member)),
  },
  {
    attack: 'a person put into a group by a key for members alone',
    defence: 'keyScopes',
    expected: /^{"status":403,.*SCOPE_REQUIRED/,
    make: async ({ key, group, member }) =>
      (await key('admin', ['tenant.members.manage']))('PATCH', group, adding(member)),
  },
  {
    attack: 'a group made by an account that is no admin',
    defence: 'who keeps groups holds everything',
    expected: forbidden,
    make: async ({ key }) =>
      (await key('member', ['*']))('POST', groups, JSON.stringify({ displayName: 'mine' })),
  },
  ...(['GET', 'DELETE', 'PATCH', 'PUT'] as const).map(
    (method): GroupAttack => ({
      attack: `a group of another tenant, by ${method}`,
      defence: 'a directory finds the groups of its tenant',
      expected: notFound,
      make: ({ enemy, group, member }) =>
        enemy(
          method,
          group,
          method === 'PATCH'
            ? adding(member)
            : method === 'PUT'
              ? JSON.stringify({ displayName: 'x' })
              : undefined,
        ),
    }),
  ),
  {
    attack: 'a person of another tenant put into a group of one’s own',
    defence: 'members of a group are people of the tenant',
    expected: /^{"status":400,.*VALIDATION_FAILED/,
    make: ({ enemy, enemyGroup, member }) => enemy('PATCH', enemyGroup, adding(member)),
  },
]

async function keyOf(place: TestKernel, owner: Send, role: string, given: readonly string[]): Promise<Send> {
  const accounts = '/v1/tenant/service-accounts'
  const { body: account } = await owner('POST', accounts, { name: `${role} ${given.join()}`, role })
  const { body } = await owner('POST', `${accounts}/${account['id']}/keys`, { name: 'key', scopes: given })
  const authorization = `Bearer ${String(body['key'])}`
  return sender(place.kernel, { authorization, 'content-type': 'application/scim+json' })
}

const made = async (reply: Promise<Reply>): Promise<string> => {
  const { status, body } = await reply
  if (status >= 300) throw new Error(JSON.stringify(body))
  return String(body['id'])
}

export async function setGroupScene(place: TestKernel, keys: SamlKeys): Promise<GroupScene> {
  const [tenant, other] = [await place.openTenant(), await place.openTenant()]
  const { owner } = tenant
  await place.database.admin.query(
    `insert into kernel.sso_domain (tenant_id, domain, challenge, verified_at)
     values ($1, 'captured.example', 'x', now()), ($2, 'enemy.example', 'x', now())`,
    [tenant.id, other.id],
  )
  const rules = [{ permission: 'tenant.audit.personal', effect: 'allow' }]
  const personal = await made(owner('POST', '/v1/tenant/roles', { name: 'DPO', rules }))
  await made(owner('PUT', saml, connection(keys, { dpo: personal })))
  await made(other.owner('PUT', saml, connection(keys, {})))
  const [scim, enemy] = [
    await keyOf(place, owner, 'admin', scopes),
    await keyOf(place, other.owner, 'admin', scopes),
  ]
  const user = JSON.stringify({ userName: 'ann@captured.example' })
  const newGroup = async (send: Send) =>
    `${groups}/${await made(send('POST', groups, JSON.stringify({ displayName: 'dpo' })))}`
  return {
    place,
    tenant,
    keys,
    admin: await place.addMember(tenant, 'admin'),
    personal,
    scim,
    member: await made(scim('POST', '/scim/v2/Users', user)),
    group: await newGroup(scim),
    enemy,
    enemyGroup: await newGroup(enemy),
    key: (role, given) => keyOf(place, owner, role, given),
  }
}
