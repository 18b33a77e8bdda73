// Attacks with keys and tokens: stolen, forged, ended, or meant for something else.
import { SignJWT, UnsecuredJWT } from 'jose'
import { makeSecretToken } from '../../kernel/src/identity/secret-token.ts'
import type { Reply } from '../support/kernel.ts'
import { scopeAttacks } from './scope-attacks.fixture.ts'
import { type CredentialAttack, payloadOf, using, type Vault } from './vault.fixture.ts'

const unknown = /^{"status":401,.*UNAUTHENTICATED/
const mismatch = /^{"status":403,.*TENANT_MISMATCH/
const ok = /^{"status":20[01]/

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
  ...scopeAttacks,
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
