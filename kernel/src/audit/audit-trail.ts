// What the routes ask of the trail, put together once.
import type pg from 'pg'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { AuditKey } from './audit-digest.ts'
import { inTransaction } from './control-client.ts'
import type { AuditSealer } from './sealer.ts'
import { type AuditFilter, type AuditPage, searchAudit } from './search-audit.ts'
import { searchSignIns } from './search-sign-ins.ts'
import { type Anchor, type Verification, verifyAudit } from './verify-audit.ts'

interface PageWish {
  readonly limit: number
  readonly cursor?: string
}

export interface AnchorRow extends Anchor {
  readonly tenant: string
  readonly sealedAt: string
}

export interface AuditTrail {
  search(tenant: string, filter: AuditFilter, page: PageWish): Promise<AuditPage>
  signIns(tenant: string, filter: AuditFilter, page: PageWish): Promise<AuditPage>
  /** Reads the whole chain of a tenant; one at a time in this process. @throws OVERLOADED */
  verify(tenant: string, anchor?: Anchor): Promise<Verification>
  /** Ends of the chains, by tenant, to be kept where the database cannot reach. */
  anchors(page: PageWish): Promise<{ items: AnchorRow[]; cursor?: string }>
  anchorOf(tenant: string): Promise<AnchorRow | undefined>
}

const lastSeals = `SELECT DISTINCT ON (tenant_id) tenant_id AS tenant, seq::int, encode(hash, 'hex') AS hash, sealed_at
  FROM kernel.audit_seal`

type AnchorRecord = Omit<AnchorRow, 'sealedAt'> & { readonly sealed_at: Date }

const anchorFrom = ({ tenant, seq, hash, sealed_at }: AnchorRecord): AnchorRow => ({
  tenant,
  seq,
  hash,
  sealedAt: sealed_at.toISOString(),
})

export function createAuditTrail(
  parts: {
    readonly pool: pg.Pool
    readonly key: AuditKey
    readonly sealer: Pick<AuditSealer, 'floor'>
  },
  off: DefencesOff = allStand,
): AuditTrail {
  const { pool, key, sealer } = parts
  let isVerifying = false
  return {
    search: (tenant, filter, page) => searchAudit(pool, tenant, filter, page),
    signIns: (tenant, filter, page) => searchSignIns(pool, tenant, filter, page),
    async verify(tenant, anchor) {
      if (isVerifying) throw errors.auditVerifying({})
      isVerifying = true
      try {
        const options = { floor: sealer.floor(), ...(anchor ? { anchor } : {}) }
        return await inTransaction(pool, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', (client) =>
          verifyAudit(client, key, tenant, options, off),
        )
      } finally {
        isVerifying = false
      }
    },
    async anchors({ limit, cursor }) {
      const { rows } = await pool.query<AnchorRecord>(
        `${lastSeals} WHERE $1::uuid IS NULL OR tenant_id > $1 ORDER BY tenant_id, seq DESC LIMIT $2`,
        [cursor ?? null, limit + 1],
      )
      const items = rows.slice(0, limit).map(anchorFrom)
      const last = items.at(-1)
      return rows.length > limit && last ? { items, cursor: last.tenant } : { items }
    },
    async anchorOf(tenant) {
      const { rows } = await pool.query<AnchorRecord>(
        `${lastSeals} WHERE tenant_id = $1 ORDER BY tenant_id, seq DESC`,
        [tenant],
      )
      return rows[0] && anchorFrom(rows[0])
    },
  }
}
