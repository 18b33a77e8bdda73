// The end of a tenant. One that is closing becomes closed when its time has come, or when the operator says so; then every
// row of it goes, and a receipt stays. Any process may be killed at any moment: what is left to do stands in the
// database, whoever holds the lock does it, and doing a part again deletes nothing more.
import { createHash } from 'node:crypto'
import pg from 'pg'
import type { Logger } from 'pino'
import { aboveTenants } from '../audit/write-audit.ts'
import type { DatabaseAccess } from '../data/bootstrap.ts'
import type { ChangeFeed } from '../data/change-feed.ts'
import { type EraseLocks, eraseKernelRows, erasePluginRows } from '../data/tenant-rows/erase-rows.ts'
import { errors } from '../errors.ts'
import { expireTenants } from './change-tenant.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'
import { type Repeating, repeat } from './repeat.ts'

export interface ErasureReceipt {
  readonly tenant: string
  readonly slug: string
  readonly state: 'running' | 'succeeded'
  readonly askedBy: string
  readonly startedAt: string
  readonly finishedAt?: string
  /** By schema and table. */
  readonly tables?: Readonly<Record<string, number>>
  readonly rows?: number
  /** SHA-256 of what is above, as one line of JSON; it stands in the audit trail of the installation as well. */
  readonly digest?: string
}

interface ErasureRow {
  tenant_id: string
  slug: string
  asked_by: string
  request_id: string
  started_at: Date
  finished_at: Date | null
  receipt: { tables: Record<string, number>; rows: number } | null
  digest: string | null
}

/** 'eras' in bytes. */
const lockSpace = 0x6572_6173
const everyMs = 5_000
/** Longer than a request may take. */
const lettingGoMs = 60_000

export interface Erasures extends Repeating {
  /** @throws RECORD_NOT_FOUND */
  receipt(tenantId: string): Promise<ErasureReceipt>
}

export function createErasures(parts: {
  readonly pool: pg.Pool
  readonly access: DatabaseAccess
  readonly feed: ChangeFeed
  readonly runControl: RunControl
  readonly locks: EraseLocks
  readonly log: Logger
}): Erasures {
  const { pool, access, feed, runControl, log } = parts

  async function pass(): Promise<void> {
    await expireTenants(runControl)
    const { rows } = await pool.query<ErasureRow>(
      'SELECT * FROM kernel.tenant_erasure WHERE finished_at IS NULL ORDER BY started_at',
    )
    for (const row of rows) {
      await underLock(row).catch((error: unknown) =>
        log.warn({ err: error, tenant: row.tenant_id }, 'an erasure goes on later'),
      )
    }
  }

  /** On a connection of its own: the lock goes when the process goes. */
  async function underLock(row: ErasureRow): Promise<void> {
    const client = new pg.Client({ ...access.kernel, application_name: 'plinth-erasure' })
    client.on('error', () => undefined)
    await client.connect()
    try {
      const { rows } = await client.query<{ mine: boolean }>(
        'SELECT pg_try_advisory_lock($1, hashtext($2)) AS mine',
        [lockSpace, row.tenant_id],
      )
      if (rows[0]?.mine) await erase(row)
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async function erase(row: ErasureRow): Promise<void> {
    const { tenant_id: tenant } = row
    await letGo(tenant)
    // Until a look finds nothing: what was on its way at the first is there at the second.
    while ((await erasePluginRows(access, tenant)) > 0) log.info({ tenant }, 'rows of plugins were erased')
    for (;;) {
      const gone = await eraseKernelRows(access, tenant, parts.locks)
      if (gone === undefined) return log.debug({ tenant }, 'the audit trail is sealed first')
      if (gone === 0) break
    }
    await conclude(row)
  }

  /** Resolves when no process works for the tenant any more, and none begins. */
  async function letGo(tenant: string): Promise<void> {
    const client = await pool.connect()
    let announcement: string
    try {
      await client.query('BEGIN')
      announcement = await feed.announce(client, { kind: 'tenantClosed', id: tenant })
      await client.query('COMMIT')
      client.release()
    } catch (error) {
      client.release(true)
      throw error
    }
    if (!(await feed.settled(announcement, lettingGoMs)))
      throw new Error('A kernel process has not said that it has let go of the tenant.')
  }

  async function conclude(row: ErasureRow): Promise<void> {
    const { rows } = await pool.query<{ part: string; rows: string }>(
      `SELECT part, sum(rows) AS rows FROM kernel.tenant_erasure_part WHERE tenant_id = $1 GROUP BY part ORDER BY part COLLATE "C"`,
      [row.tenant_id],
    )
    const tables = Object.fromEntries(rows.map((one) => [one.part, Number(one.rows)]))
    const sum = Object.values(tables).reduce((total, count) => total + count, 0)
    const finishedAt = new Date()
    const receipt = { tables, rows: sum }
    const digest = digestOf({ ...factsOf(row, finishedAt), ...receipt })
    await runControl(async (tx) => {
      const done = await tx.query(
        `UPDATE kernel.tenant_erasure SET finished_at = $2, receipt = $3, digest = $4
          WHERE tenant_id = $1 AND finished_at IS NULL RETURNING tenant_id`,
        [row.tenant_id, finishedAt, JSON.stringify(receipt), digest],
      )
      if (done.length === 0) return
      await tx.query('DELETE FROM kernel.tenant_erasure_part WHERE tenant_id = $1', [row.tenant_id])
      await tx.audit({
        tenantId: aboveTenants,
        actorId: row.asked_by,
        requestId: row.request_id,
        entity: 'tenant',
        recordId: row.tenant_id,
        action: 'erased',
        after: { rows: sum, digest },
      })
      // Keys, memberships, sessions, domains: what anybody has in memory of it.
      await tx.announce({ kind: 'all', id: '' })
    })
  }

  const repeating = repeat('erasures', pass, log, everyMs)
  repeating.wake()
  return {
    ...repeating,
    receipt: (tenantId) =>
      receiptIn({ query: async (text, values) => (await pool.query(text, [...values])).rows }, tenantId),
  }
}

/** @throws RECORD_NOT_FOUND */
export async function receiptIn(
  tx: Pick<ControlTransaction, 'query'>,
  tenantId: string,
): Promise<ErasureReceipt> {
  const [row] = await tx.query<ErasureRow>('SELECT * FROM kernel.tenant_erasure WHERE tenant_id = $1', [
    tenantId,
  ])
  if (!row) throw errors.recordNotFound({ entity: 'receipt', id: tenantId })
  if (row.finished_at === null || row.receipt === null || row.digest === null)
    return { ...factsOf(row), state: 'running' }
  return { ...factsOf(row, row.finished_at), ...row.receipt, digest: row.digest, state: 'succeeded' }
}

const factsOf = (row: ErasureRow, finishedAt?: Date) => ({
  tenant: row.tenant_id,
  slug: row.slug,
  askedBy: row.asked_by,
  startedAt: row.started_at.toISOString(),
  ...(finishedAt ? { finishedAt: finishedAt.toISOString() } : {}),
})

/** Over `tenant, slug, askedBy, startedAt, finishedAt, tables (sorted), rows`, as JSON.stringify writes them. */
const digestOf = (receipt: object): string =>
  createHash('sha256').update(JSON.stringify(receipt)).digest('hex')
