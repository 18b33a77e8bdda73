// Whose key is this: looked up by its id, proved by its hash.
import { timingSafeEqual } from 'node:crypto'
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { cutBy } from '../permissions/scopes.ts'
import type { Credential } from './credential.ts'
import { networkTest } from './networks.ts'
import { parseSecretToken } from './secret-token.ts'

interface KeyRow {
  hash: Buffer
  tenant_id: string
  owner_id: string
  scopes: string[]
  networks: string[]
  expires_at: Date
  is_live: boolean
  is_stale: boolean
  service_name: string | null
  name: string | null
  email: string | null
}

// A key whose owner is gone finds no name: the tenant's members decide whether he may enter at all.
const selectKey = `
  SELECT k.hash, k.tenant_id, k.owner_id, k.scopes, k.networks, k.expires_at,
         k.revoked_at IS NULL AND k.expires_at > now() AND coalesce(s.active, true)
           AND p.disabled_at IS NULL AS is_live,
         k.last_used_at IS NULL OR k.last_used_at < date_trunc('hour', now()) AS is_stale,
         s.name AS service_name, u.name, u.email
    FROM kernel.api_key k
    LEFT JOIN kernel.service_account s ON s.tenant_id = k.tenant_id AND s.id = k.service_account_id
    LEFT JOIN identity."user" u ON k.service_account_id IS NULL AND u.id = k.owner_id
    LEFT JOIN identity.person p ON p.user_id = u.id
   WHERE k.id = $1`

export function createFindKey(pool: pg.Pool, off: DefencesOff = allStand) {
  const query = <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
    fromDatabase(() => pool.query<Row>(text, [...values]))

  return async (token: string): Promise<Credential | undefined> => {
    const given = parseSecretToken('plk', token)
    if (!given) return undefined
    const row = (await query<KeyRow>(selectKey, [given.id])).rows[0]
    if (!row) return undefined
    const isRight = timingSafeEqual(row.hash, given.hash) && row.is_live
    if (!isRight && !off.has('keyCheck')) return undefined
    const name = row.service_name ?? row.name
    if (name === null) return undefined
    // Once an hour is enough to tell a key that is used from one that is not, and costs nothing.
    if (row.is_stale)
      await query(
        `UPDATE kernel.api_key SET last_used_at = date_trunc('hour', now())
          WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < date_trunc('hour', now()))`,
        [given.id],
      )
    const scopes = cutBy(row.scopes)
    return {
      kind: 'key',
      actor: {
        id: row.owner_id,
        name,
        email: row.email ?? '',
        session: `key:${given.id}`,
        ...(row.service_name === null ? {} : { isService: true as const }),
      },
      tenantClaim: row.tenant_id,
      ...(scopes && { scopes }),
      ...(row.networks.length > 0 && { mayCallFrom: networkTest(row.networks) }),
      ...(off.has('keyCheck') ? {} : { expiresAt: row.expires_at.getTime() }),
    }
  }
}
