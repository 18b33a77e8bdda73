// The keys that sign access tokens: made by whichever process needs one first, sealed in the database, replaced after
// some days. The next key is published before it signs, the last one after, so that no verifier meets an unknown one.
import { exportJWK, exportPKCS8, generateKeyPair, importJWK, importPKCS8, type JWK } from 'jose'
import type pg from 'pg'
import { aboveTenants, auditedBy } from '../audit/write-audit.ts'
import type { ChangeFeed } from '../data/change-feed.ts'
import { fromDatabase } from '../data/database-failure.ts'
import type { Place, Seal } from '../outside/seal.ts'
import type { Operated } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { makeKeyId } from './secret-token.ts'

export const algorithm = 'ES256'
/** Twice as long as /.well-known/jwks.json may be kept. */
export const publishAheadMs = 10 * 60_000
/** Longer than a token lives that was signed in the last moment. */
const publishAfterMs = 60 * 60_000
const dayMs = 86_400_000

interface KeyRow {
  id: string
  public_key: JWK
  sealed: Buffer
  /** By the database's clock, which is everybody's. */
  age_ms: number
}

interface KeptKey {
  readonly id: string
  readonly publicKey: CryptoKey
  readonly jwk: JWK
  readonly sealed: Buffer
  readonly createdAt: number
}

export interface SigningKeys {
  /** The one to sign with now; makes one when there is none, or the newest is old. */
  current(): Promise<{ readonly id: string; readonly key: CryptoKey }>
  publicKey(id: string): Promise<CryptoKey | undefined>
  /** For /.well-known/jwks.json. */
  published(): Promise<readonly JWK[]>
  /** Makes the next key now. With `endOthers` what was signed before is no longer accepted anywhere. */
  rotate(by: Operated, endOthers: boolean, run?: RunControl): Promise<void>
}

const placeOf = (id: string): Place => ['', 'kernel', 'signing key', id]

export function createSigningKeys(parts: {
  readonly pool: pg.Pool
  readonly feed: ChangeFeed
  readonly runControl: RunControl
  readonly seal: Seal
  readonly keyDays: number
}): SigningKeys {
  const { pool, feed, runControl, seal, keyDays } = parts
  let kept: readonly KeptKey[] | undefined
  let signer: { readonly id: string; readonly key: CryptoKey } | undefined
  let changes = 0

  feed.onChange((change) => {
    if (change.kind !== 'tokenKeys' && change.kind !== 'all') return
    changes += 1
    kept = undefined
    signer = undefined
  })

  async function keys(): Promise<readonly KeptKey[]> {
    if (kept) return kept
    const before = changes
    const { rows } = await fromDatabase(() =>
      pool.query<KeyRow>(
        `SELECT id, public_key, sealed, (extract(epoch FROM now() - created_at) * 1000)::float8 AS age_ms
           FROM identity.signing_key ORDER BY created_at DESC, id`,
      ),
    )
    const read = await Promise.all(
      rows.map(async ({ id, public_key: jwk, sealed, age_ms }): Promise<KeptKey> => {
        const publicKey = await importJWK(jwk, algorithm)
        if (publicKey instanceof Uint8Array) throw new Error(`signing key ${id} is no public key`)
        return { id, publicKey, jwk, sealed, createdAt: Date.now() - age_ms }
      }),
    )
    if (feed.isLive() && before === changes) kept = read
    return read
  }

  /** The newest that everybody has had time to hear of; the oldest when there is none such. */
  const toSignWith = (all: readonly KeptKey[]): KeptKey | undefined =>
    all.find(({ createdAt }) => Date.now() - createdAt >= publishAheadMs) ?? all.at(-1)

  async function make(
    isDue: (newestAgeMs: number | undefined) => boolean,
    endOthers: boolean,
    by?: Operated,
    run = runControl,
  ): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
    const id = makeKeyId()
    const jwk = { ...(await exportJWK(publicKey)), kid: id, alg: algorithm, use: 'sig' }
    const sealed = seal.close(await exportPKCS8(privateKey), placeOf(id))
    await run(async (tx) => {
      // Of several processes one makes the key, the others find it made.
      await tx.query('LOCK TABLE identity.signing_key IN SHARE ROW EXCLUSIVE MODE', [])
      const [newest] = await tx.query<{ age_ms: number }>(
        `SELECT (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age_ms
           FROM identity.signing_key ORDER BY created_at DESC LIMIT 1`,
        [],
      )
      if (!isDue(newest?.age_ms)) return
      await tx.query(
        endOthers
          ? 'DELETE FROM identity.signing_key'
          : `DELETE FROM identity.signing_key old WHERE EXISTS (SELECT 1 FROM identity.signing_key next
               WHERE next.created_at > old.created_at AND next.created_at < now() - make_interval(secs => $1))`,
        endOthers ? [] : [(publishAheadMs + publishAfterMs) / 1000],
      )
      await tx.query(
        'INSERT INTO identity.signing_key (id, public_key, sealed, created_at) VALUES ($1, $2, $3, clock_timestamp())',
        [id, jwk, sealed],
      )
      if (by)
        await tx.audit({
          tenantId: aboveTenants,
          ...auditedBy(by),
          entity: 'signingKey',
          recordId: id,
          action: 'created',
          after: { endOthers },
        })
      await tx.announce({ kind: 'tokenKeys', id: '' })
    })
  }

  return {
    async current() {
      let all = await keys()
      const newest = all[0]
      if (!newest || Date.now() - newest.createdAt > keyDays * dayMs) {
        await make((age) => age === undefined || age > keyDays * dayMs, false)
        all = await keys()
      }
      const chosen = toSignWith(all)
      if (!chosen) throw new Error('there is no signing key')
      if (signer?.id === chosen.id) return signer
      const before = changes
      const opened = {
        id: chosen.id,
        key: await importPKCS8(seal.open(chosen.sealed, placeOf(chosen.id)), algorithm),
      }
      if (before === changes) signer = opened
      return opened
    },
    publicKey: async (id) => (await keys()).find((key) => key.id === id)?.publicKey,
    published: async () => (await keys()).map(({ jwk }) => jwk),
    rotate: (by, endOthers, run) => make(() => true, endOthers, by, run),
  }
}
