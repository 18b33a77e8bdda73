// Attacks with keys and tokens: stolen, forged, ended, or meant for something else.
import { importPKCS8, SignJWT, UnsecuredJWT } from 'jose'
import type { Defence } from '../../kernel/src/defences.ts'
import { makeSecretToken } from '../../kernel/src/identity/secret-token.ts'
import { createSeal } from '../../kernel/src/outside/seal.ts'
import { testInstallation } from '../support/database.ts'
import { type Method, type Reply, type Send, sender, type TestKernel } from '../support/kernel.ts'

export interface Vault {
  readonly place: TestKernel
  readonly victim: { readonly id: string; readonly slug: string; readonly owner: Send }
  readonly enemy: { readonly id: string; readonly slug: string; readonly owner: Send }
  /** Of the enemy's tenant unless its name says otherwise. */
  readonly keys: {
    readonly whole: string
    readonly narrow: string
    readonly revoked: string
    readonly expired: string
    readonly replaced: string
    readonly ofInactive: string
    readonly victims: string
  }
  /** A good access token of the enemy for his tenant, its id, and the key that signed it. */
  readonly access: string
  readonly session: string
  readonly userId: string
  readonly signWith: { readonly id: string; readonly key: CryptoKey; readonly jwk: object }
  /** A session with an access token, to be ended. */
  newSession(): Promise<{ owner: Send; access: string; refresh: string }>
}

export interface CredentialAttack {
  readonly attack: string
  readonly defence: string
  readonly expected: RegExp
  readonly without?: readonly [Defence, RegExp]
  readonly make: (vault: Vault) => Promise<Reply>
}

export const bearing = (token: unknown, tenant?: string) => ({
  authorization: `Bearer ${String(token)}`,
  ...(tenant === undefined ? {} : { 'x-tenant-id': tenant }),
})

const unknown = /^{"status":401,.*UNAUTHENTICATED/
const mismatch = /^{"status":403,.*TENANT_MISMATCH/
const cut = /^{"status":403,.*SCOPE_REQUIRED/
const ok = /^{"status":20[01]/

const using = (
  { place }: Vault,
  token: string,
  [method, url, body, tenant]: readonly [Method, string, unknown?, string?],
): Promise<Reply> => sender(place.kernel)(method, url, body, bearing(token, tenant))

const accounts = ['GET', '/v1/finance/accounts'] as const
const shown = (
  attack: string,
  token: (vault: Vault) => string | Promise<string>,
  without?: CredentialAttack['without'],
  defence = 'keyCheck',
): CredentialAttack => ({
  attack,
  defence,
  expected: unknown,
  ...(without && { without }),
  make: async (vault) => using(vault, await token(vault), accounts),
})

/** Signed by the kernel's own key, and yet not what it issues. */
const signed = async (
  { signWith, session, userId, enemy }: Vault,
  changes: { readonly claims?: object; readonly header?: object; readonly expires?: string },
): Promise<string> =>
  new SignJWT({
    sid: session,
    tid: enemy.id,
    aud: 'plinth',
    iss: 'http://localhost:3000',
    jti: 'j',
    ...changes.claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: signWith.id, ...changes.header })
    .setSubject(userId)
    .setIssuedAt()
    .setExpirationTime(changes.expires ?? '5m')
    .sign(signWith.key)

const forged = (attack: string, token: (vault: Vault) => string | Promise<string>): CredentialAttack =>
  shown(attack, token, undefined, 'a token is verified: key, algorithm, type, issuer, audience, time')

const payloadOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

const reuse = async ({ place, newSession }: Vault): Promise<Reply> => {
  const { refresh } = await newSession()
  const again = () => place.send('POST', '/v1/auth/token', { refreshToken: refresh })
  await again()
  return again()
}

export const credentialAttacks: readonly CredentialAttack[] = [
  {
    attack: 'a key of one tenant with the name of another in the header',
    defence: 'a credential for one tenant reaches no other',
    expected: mismatch,
    make: (vault) => using(vault, vault.keys.whole, [...accounts, undefined, vault.victim.slug]),
  },
  {
    attack: "an access token for one tenant with another's id in the header",
    defence: 'a credential for one tenant reaches no other',
    expected: mismatch,
    make: (vault) => using(vault, vault.access, [...accounts, undefined, vault.victim.id]),
  },
  {
    attack: 'an access token for a tenant of which one is no member',
    defence: 'membership',
    expected: /TENANT_NOT_FOUND/,
    make: ({ enemy, victim }) => enemy.owner('POST', '/v1/auth/token', { tenant: victim.slug }),
  },
  {
    attack: "a key of another tenant's service account, revoked by its id",
    defence: 'keys are looked up within the tenant',
    expected: /RECORD_NOT_FOUND/,
    make: ({ enemy, keys }) => enemy.owner('DELETE', `/v1/me/keys/${keys.victims.slice(4, 20)}`),
  },
  shown('a revoked key', ({ keys }) => keys.revoked, ['keyCheck', ok]),
  shown('an expired key', ({ keys }) => keys.expired, ['keyCheck', ok]),
  shown('a key after its rotation', ({ keys }) => keys.replaced, ['keyCheck', ok]),
  shown('a key of an account that was deactivated', ({ keys }) => keys.ofInactive, ['keyCheck', ok]),
  shown(
    "the id of another's key with a secret of one's own",
    ({ keys }) => makeSecretToken('plk', keys.whole.slice(4, 20)).text,
    ['keyCheck', ok],
  ),
  shown(
    'a key with one letter changed',
    ({ keys }) => `${keys.whole.slice(0, -1)}${keys.whole.endsWith('0') ? 1 : 0}`,
  ),
  shown('a key in capitals', ({ keys }) => keys.whole.toUpperCase()),
  shown('a refresh token in the place of a key', async ({ newSession }) => (await newSession()).refresh),
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
    attack: 'an access token exchanged for the next one',
    defence: 'sessions are exchanged, and refresh tokens once',
    expected: /PERSON_REQUIRED/,
    make: (vault) => using(vault, vault.access, ['POST', '/v1/auth/token', {}]),
  },
  forged('no algorithm, no signature', ({ access }) => new UnsecuredJWT(payloadOf(access)).encode()),
  forged('signed with the published key as if it were a shared secret', async ({ access, signWith }) =>
    new SignJWT(payloadOf(access))
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: signWith.id })
      .sign(Buffer.from(JSON.stringify(signWith.jwk).padEnd(32))),
  ),
  forged('another tenant in the payload, the signature as it was', ({ access, victim }) => {
    const [header, , signature] = access.split('.')
    return `${header}.${encoded({ ...payloadOf(access), tid: victim.id })}.${signature}`
  }),
  forged('a key of the enemy’s own, embedded in the header', async ({ access }) => {
    const { privateKey, publicKey } = await crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['sign', 'verify'],
    )
    const jwk = await crypto.subtle.exportKey('jwk', publicKey)
    return new SignJWT(payloadOf(access))
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'mine', jwk: { kty: 'EC', ...jwk } as never })
      .sign(privateKey)
  }),
  forged('a token of yesterday', (vault) => signed(vault, { expires: '-1s' })),
  forged('a token for another audience', (vault) => signed(vault, { claims: { aud: 'somebody' } })),
  forged('a token of another issuer', (vault) => signed(vault, { claims: { iss: 'https://other.example' } })),
  forged('a token of another kind, such as an ID token', (vault) =>
    signed(vault, { header: { typ: 'JWT' } }),
  ),
  forged('a token of a session that does not live', (vault) => signed(vault, { claims: { sid: 'gone' } })),
  forged("another person's name on one's own session", (vault) =>
    signed({ ...vault, userId: 'somebody' }, {}),
  ),
  {
    attack: 'an access token after its session has ended',
    defence: 'a session that ends takes its tokens with it',
    expected: unknown,
    make: async (vault) => {
      const { owner, access } = await vault.newSession()
      await using(vault, access, ['GET', '/v1/tenants'])
      await owner('POST', '/v1/auth/sign-out')
      return using(vault, access, ['GET', '/v1/tenants'])
    },
  },
  {
    attack: 'a refresh token that was used before',
    defence: 'refreshReuse',
    expected: /^{"status":401,.*REFRESH_REFUSED/,
    without: ['refreshReuse', ok],
    make: reuse,
  },
  {
    attack: 'the access token of a family whose refresh token was used twice',
    defence: 'refreshReuse',
    expected: unknown,
    without: ['refreshReuse', ok],
    make: async (vault) => {
      const { access, refresh } = await vault.newSession()
      await using(vault, access, ['GET', '/v1/tenants'])
      for (let uses = 0; uses < 2; uses += 1)
        await vault.place.send('POST', '/v1/auth/token', { refreshToken: refresh })
      return using(vault, access, ['GET', '/v1/tenants'])
    },
  },
  {
    attack: 'a refresh token used twice at the same moment: what the faster one got',
    defence: 'refreshReuse',
    expected: unknown,
    without: ['refreshReuse', ok],
    make: async (vault) => {
      const { refresh } = await vault.newSession()
      const both = await Promise.all(
        [1, 2, 3].map(() => vault.place.send('POST', '/v1/auth/token', { refreshToken: refresh })),
      )
      const won = both.find(({ status }) => status === 200)
      return using(vault, String(won?.body['accessToken']), ['GET', '/v1/tenants'])
    },
  },
]

/** Two tenants, and the enemy's collection. */
export async function openVault(place: TestKernel): Promise<Vault> {
  const victim = await place.openTenant('finance')
  const enemy = await place.openTenant('finance')
  const { admin } = place.database
  const account = async (tenant: typeof enemy, name: string) => {
    const { body } = await tenant.owner('POST', '/v1/tenant/service-accounts', { name, role: 'admin' })
    return `/v1/tenant/service-accounts/${body['id']}`
  }
  const keyAt = async (tenant: typeof enemy, url: string, scopes = ['*']) =>
    String((await tenant.owner('POST', `${url}/keys`, { name: 'k', scopes })).body['key'])
  const idOf = (key: string) => key.slice(4, 20)
  const url = await account(enemy, 'one')
  const sleeping = await account(enemy, 'two')
  const revoked = await keyAt(enemy, url)
  const expired = await keyAt(enemy, url)
  const replaced = await keyAt(enemy, url)
  const ofInactive = await keyAt(enemy, sleeping)
  await enemy.owner('DELETE', `${url}/keys/${idOf(revoked)}`)
  await enemy.owner('POST', `${url}/keys/${idOf(replaced)}/rotate`, { overlapHours: 0 })
  await enemy.owner('PATCH', sleeping, { active: false })
  await admin.query("update kernel.api_key set expires_at = now() - interval '1 second' where id = $1", [
    idOf(expired),
  ])
  const { body } = await enemy.owner('POST', '/v1/auth/token', { tenant: enemy.slug })
  const access = String(body['accessToken'])
  const { rows } = await admin.query<{ id: string; sealed: Buffer; public_key: object }>(
    'select id, sealed, public_key from identity.signing_key',
  )
  const [row] = rows
  if (!row) throw new Error('no signing key')
  const pem = createSeal(testInstallation.secret, 'signing keys').open(row.sealed, [
    '',
    'kernel',
    'signing key',
    row.id,
  ])
  return {
    place,
    victim,
    enemy,
    keys: {
      whole: await keyAt(enemy, url),
      narrow: await keyAt(enemy, url, ['finance.account.*']),
      revoked,
      expired,
      replaced,
      ofInactive,
      victims: await keyAt(victim, await account(victim, 'one')),
    },
    access,
    session: String(payloadOf(access)['sid']),
    userId: String(payloadOf(access)['sub']),
    signWith: { id: row.id, jwk: row.public_key, key: await importPKCS8(pem, 'ES256') },
    async newSession() {
      const owner = await place.signUp()
      const issued = (await owner('POST', '/v1/auth/token', {})).body
      return { owner, access: String(issued['accessToken']), refresh: String(issued['refreshToken']) }
    },
  }
}
