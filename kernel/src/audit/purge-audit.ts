// Takes from the trail what the tenant's plan no longer keeps: whole seals from the beginning, with a checkpoint in their
// place, and a row in the trail that says so. The database refuses to take more (kernel.purge_audit).
import type pg from 'pg'
import { type AuditKey, checkpointMac } from './audit-digest.ts'
import { inTransaction } from './control-client.ts'
import type { AuditClient } from './read-in-batches.ts'
import { lockSealer } from './seal-audit.ts'
import { writeAudit } from './write-audit.ts'

/** In one transaction, but for a seal that has more by itself. */
const rowsAtOnce = 20_000

interface DueSeal {
  readonly tenant_id: string
  readonly seq: string
  readonly to_turn: string
  readonly hash: Buffer
  readonly last_at: Date
  readonly rows: string
}

// Sealed rows may be older than their seal: it is the seal that must be old enough. Of each tenant the first seals, as far
// as they are due without a gap.
const dueSeals = `
  SELECT s.tenant_id, s.seq, s.to_turn, s.hash, s.last_at, s.rows
    FROM kernel.audit_seal s
   WHERE s.tenant_id = $1
     AND s.sealed_at <= now() - make_interval(days => $2)
   ORDER BY s.seq LIMIT 1000`

const tenantsWithOld = `
  SELECT s.tenant_id, coalesce(p.audit_days, 730) AS days
    FROM kernel.audit_seal s
    LEFT JOIN kernel.tenant t ON t.id = s.tenant_id
    LEFT JOIN kernel.plan p ON p.code = t.plan
   WHERE s.seq = (SELECT min(seq) FROM kernel.audit_seal f WHERE f.tenant_id = s.tenant_id)
     AND s.sealed_at <= now() - make_interval(days => coalesce(p.audit_days, 730))
   LIMIT 1000`

/** How many rows went. */
export async function purgeAudit(pool: pg.Pool, key: AuditKey, isOver: () => boolean): Promise<number> {
  const { rows: tenants } = await pool.query<{ tenant_id: string; days: number }>(tenantsWithOld)
  let gone = 0
  for (const { tenant_id, days } of tenants) {
    for (let more = true; more && !isOver(); ) {
      const rows = await inTransaction(pool, 'BEGIN', (client) => purgeTenant(client, key, tenant_id, days))
      gone += rows
      more = rows > 0
    }
  }
  return gone
}

/** The first part of one tenant that is due. */
export async function purgeTenant(
  client: AuditClient,
  key: AuditKey,
  tenant: string,
  days: number,
): Promise<number> {
  if (!(await lockSealer(client))) return 0
  const { rows: due } = await client.query<DueSeal>(dueSeals, [tenant, days])
  let rows = 0
  const going = due.filter((seal, index) => {
    rows += Number(seal.rows)
    return index === 0 || rows <= rowsAtOnce
  })
  const last = going.at(-1)
  if (!last) return 0
  const { rows: before } = await client.query<{ purged: string }>(
    'SELECT purged_rows AS purged FROM kernel.audit_checkpoint WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1',
    [tenant],
  )
  const taken = going.reduce((sum, seal) => sum + Number(seal.rows), 0)
  const checkpoint = {
    tenant,
    seq: Number(last.seq),
    toTurn: last.to_turn,
    hash: last.hash,
    purgedRows: Number(before[0]?.purged ?? 0) + taken,
  }
  await client.query(
    `INSERT INTO kernel.audit_checkpoint (tenant_id, seq, to_turn, hash, purged_rows, mac)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [tenant, last.seq, last.to_turn, last.hash, checkpoint.purgedRows, checkpointMac(key, checkpoint)],
  )
  await client.query('SELECT kernel.purge_audit($1, $2)', [tenant, last.seq])
  await writeAudit(client, {
    tenantId: tenant,
    actorId: 'retention',
    requestId: 'retention',
    entity: 'audit',
    recordId: String(last.seq),
    action: 'purged',
    after: { rows: taken, upTo: last.last_at.toISOString(), days },
  })
  return taken
}
