// Two tenants, and what an enemy has collected of keys and tokens.
import { importPKCS8 } from 'jose'
import type { Defence } from '../../kernel/src/defences.ts'
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

export const using = (
  { place }: Vault,
  token: string,
  [method, url, body, tenant]: readonly [Method, string, unknown?, string?],
): Promise<Reply> => sender(place.kernel)(method, url, body, bearing(token, tenant))

export const payloadOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>

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
