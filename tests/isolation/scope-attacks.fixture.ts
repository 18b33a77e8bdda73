// Attacks with a part of somebody's rights, and with a key for what outlives it.
import type { Send } from '../support/kernel.ts'
import { type CredentialAttack, using, type Vault } from './vault.fixture.ts'

const cut = /^{"status":403,.*SCOPE_REQUIRED/
const person = /^{"status":403,.*PERSON_REQUIRED/
const ok = /^{"status":20[01]/

/** With a key of the enemy's own that is cut to these. */
async function withScopes(vault: Vault, scopes: readonly string[], request: Parameters<typeof using>[2]) {
  const { body } = await vault.enemy.owner('POST', '/v1/me/keys', { name: 'cut', scopes })
  return using(vault, String(body['key']), request)
}

/** A member of the enemy's tenant with one permission besides. */
async function memberWith({ place, enemy }: Vault, permission: string): Promise<Send> {
  const member = await place.addMember(enemy, 'member')
  const { body: me } = await member('GET', '/v1/me')
  const rules = [{ permission, effect: 'allow' }]
  const role = await enemy.owner('POST', '/v1/tenant/roles', { name: permission, rules })
  const given = await enemy.owner('POST', `/v1/tenant/members/${me['id']}/roles`, { role: role.body['id'] })
  if (given.status >= 300) throw new Error(JSON.stringify([role.body, given.body]))
  return member
}

export const scopeAttacks: readonly CredentialAttack[] = [
  {
    attack: 'a key for one entity that reads another',
    defence: 'keyScopes',
    expected: cut,
    without: ['keyScopes', ok],
    make: (vault) => using(vault, vault.keys.narrow, ['GET', '/v1/finance/journal-entries']),
  },
  {
    attack: 'a key for one entity that lists the members',
    defence: 'keyScopes',
    expected: cut,
    without: ['keyScopes', ok],
    make: (vault) => using(vault, vault.keys.narrow, ['GET', '/v1/tenant/members']),
  },
  {
    attack: 'a key for the figures of use that lists the members',
    defence: 'keyScopes',
    expected: cut,
    without: ['keyScopes', ok],
    make: (vault) => withScopes(vault, ['tenant.usage.read'], ['GET', '/v1/tenant/members']),
  },
  {
    attack: 'a key for the figures of use that reads the settings of a module',
    defence: 'keyScopes',
    expected: cut,
    without: ['keyScopes', ok],
    make: (vault) => withScopes(vault, ['tenant.usage.read'], ['GET', '/v1/tenant/settings/finance']),
  },
  {
    attack: 'a key for members that makes one an admin, who may do everything',
    defence: 'who has a part of a right makes nobody who has more',
    expected: cut,
    make: async (vault) => {
      const member = await vault.place.addMember(vault.enemy, 'member')
      const { body } = await member('GET', '/v1/me')
      const url = `/v1/tenant/members/${body['id']}`
      return withScopes(vault, ['tenant.members.manage'], ['PATCH', url, { role: 'admin' }])
    },
  },
  {
    attack: 'a key for everything that makes an account to go on with when it is revoked',
    defence: 'a key makes nothing that signs in',
    expected: person,
    make: (vault) =>
      using(vault, vault.keys.whole, [
        'POST',
        '/v1/tenant/service-accounts',
        { name: 'next', role: 'admin' },
      ]),
  },
  {
    attack: 'a key for everything that makes another key of its account',
    defence: 'a key makes nothing that signs in',
    expected: person,
    make: async (vault) => {
      const { body } = await vault.enemy.owner('GET', '/v1/tenant/service-accounts')
      const [account] = body['items'] as { id: string }[]
      const url = `/v1/tenant/service-accounts/${account?.id}/keys`
      return using(vault, vault.keys.whole, ['POST', url, { name: 'next', scopes: ['*'] }])
    },
  },
  {
    attack: 'a key for everything that connects a provider, which lets in whom it likes',
    defence: 'a key says nothing of who is let in',
    expected: person,
    make: (vault) =>
      using(vault, vault.keys.whole, [
        'PUT',
        '/v1/tenant/sso',
        { issuer: 'https://mine.example', clientId: 'x', clientSecret: 'long enough' },
      ]),
  },
  {
    attack: 'a key for everything that adds a domain of e-mail to vouch for',
    defence: 'a key says nothing of who is let in',
    expected: person,
    make: (vault) =>
      using(vault, vault.keys.whole, ['POST', '/v1/tenant/sso/domains', { domain: 'mine-works.com' }]),
  },
  {
    attack: 'a key for everything that makes a member an admin',
    defence: 'a key makes nobody an admin or owner',
    expected: person,
    make: async (vault) => {
      const member = await vault.place.addMember(vault.enemy, 'member')
      const { body } = await member('GET', '/v1/me')
      return using(vault, vault.keys.whole, ['PATCH', `/v1/tenant/members/${body['id']}`, { role: 'admin' }])
    },
  },
  {
    attack: "an owner's key for everything that hands the tenant over",
    defence: 'a key makes nobody an admin or owner',
    expected: person,
    make: async (vault) => {
      const member = await vault.place.addMember(vault.enemy, 'member')
      const { body } = await member('GET', '/v1/me')
      return withScopes(vault, ['*'], ['POST', '/v1/tenant/ownership', { userId: body['id'] }])
    },
  },
  {
    attack: "a key of one's own that has another stand in, who decides in one's name",
    defence: 'a key lends nothing',
    expected: person,
    make: async (vault) => {
      const member = await vault.place.addMember(vault.enemy, 'member')
      const { body } = await member('GET', '/v1/me')
      const absence = { substitute: body['id'], from: '2030-01-01', to: '2030-12-31' }
      return withScopes(vault, ['*'], ['POST', '/v1/tenant/absences', absence])
    },
  },
  {
    attack: "a key of one's own that lends to another for a year",
    defence: 'a key lends nothing',
    expected: person,
    make: async (vault) => {
      const member = await vault.place.addMember(vault.enemy, 'member')
      const { body } = await member('GET', '/v1/me')
      const endsAt = new Date(Date.now() + 86_400_000).toISOString()
      const loan = { borrower: body['id'], permissions: ['finance.account.read'], endsAt }
      const scopes = ['finance.*', 'tenant.*']
      return withScopes(vault, scopes, ['POST', '/v1/tenant/delegations', loan])
    },
  },
  {
    attack: 'a token cut to one permission that lends another',
    defence: 'scopes cut what a role may do',
    expected: /^{"status":403,.*FORBIDDEN/,
    make: async (vault) => {
      const member = await vault.place.addMember(vault.enemy, 'member')
      const { body: me } = await member('GET', '/v1/me')
      const scopes = ['tenant.usage.read', 'finance.account.read']
      const { body } = await vault.enemy.owner('POST', '/v1/auth/token', { scopes })
      const endsAt = new Date(Date.now() + 86_400_000).toISOString()
      const loan = { borrower: me['id'], permissions: ['finance.account.delete'], endsAt }
      const url = '/v1/tenant/delegations'
      return using(vault, String(body['accessToken']), ['POST', url, loan, vault.enemy.slug])
    },
  },
  {
    attack: 'a key for one entity that makes a key for everything',
    defence: 'keyScopes, and who has a part of a right makes no credentials',
    expected: cut,
    make: (vault) => using(vault, vault.keys.narrow, ['POST', '/v1/me/keys', { name: 'x', scopes: ['*'] }]),
  },
  {
    attack: 'a key that makes a tenant of its own',
    defence: 'keyScopes',
    expected: /PERSON_REQUIRED/,
    without: ['keyScopes', ok],
    make: (vault) =>
      using(vault, vault.keys.whole, ['POST', '/v1/tenants', { name: 'Mine', slug: `mine-${Date.now()}` }]),
  },
  {
    attack: 'a token cut to one permission that adds a member',
    defence: 'scopes cut what a role may do',
    expected: cut,
    make: async (vault) => {
      const { body } = await vault.enemy.owner('POST', '/v1/auth/token', { scopes: ['tenant.usage.read'] })
      const input = { email: 'x@example.com', role: 'owner' }
      return using(vault, String(body['accessToken']), [
        'POST',
        '/v1/tenant/members',
        input,
        vault.enemy.slug,
      ])
    },
  },
  {
    attack: 'an admin account made by a member who may manage service accounts and little else',
    defence: 'who does not hold everything makes no credentials for others',
    expected: /^{"status":403,.*"permission":"\*"/,
    make: async (vault) =>
      (await memberWith(vault, 'tenant.serviceAccounts.manage'))('POST', '/v1/tenant/service-accounts', {
        name: 'mine',
        role: 'admin',
      }),
  },
  {
    attack: 'a provider of his own, which makes him an admin, by a member who may manage single sign-on',
    defence: 'who does not hold everything does not say who is let in',
    expected: /^{"status":403,.*"permission":"\*"/,
    make: async (vault) =>
      (await memberWith(vault, 'tenant.singleSignOn.manage'))('PUT', '/v1/tenant/sso', {
        issuer: 'https://mine.example',
        clientId: 'x',
        clientSecret: 'long enough',
        groupRoles: { all: 'admin' },
      }),
  },
]
