// Seals the audit trail a second after it was written, and takes from it, once in a while, what no plan keeps any longer.
// Every kernel process has one; they take turns.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { AuditKey } from './audit-digest.ts'
import { inTransaction } from './control-client.ts'
import { purgeAudit } from './purge-audit.ts'
import { type Sealed, sealAudit, sealedUpTo } from './seal-audit.ts'
import { aboveTenants } from './write-audit.ts'

const sealEveryMs = 1_000
const purgeEveryMs = 60 * 60_000

export interface AuditSealer {
  /** Seals what there is now. */
  seal(): Promise<void>
  /** Below it this process has seen everything sealed. */
  floor(): bigint
  close(): Promise<void>
}

export function startAuditSealer({
  pool,
  key,
  log,
}: {
  readonly pool: pg.Pool
  readonly key: AuditKey
  readonly log: Logger
}): AuditSealer {
  let floor = 0n
  /** Where the last seal ended that this process made. */
  let made = 0n
  let madeFor: readonly string[] = []
  let working: Promise<void> | undefined
  let closed = false
  let isFailing = false
  let purgedAt = Date.now()

  function keep({ upTo, rows, tenants }: Sealed): void {
    floor = upTo
    if (rows === 0) return
    made = upTo
    madeFor = tenants
  }

  /** A tenant that is erased goes with its seals; those of any other stay. */
  async function missSeals(found: bigint): Promise<void> {
    if (found >= made) return
    const { rows } = await pool.query(
      'SELECT FROM kernel.tenant WHERE id = ANY($1::uuid[]) UNION ALL SELECT WHERE $2 = ANY($1::uuid[]) LIMIT 1',
      [madeFor, aboveTenants],
    )
    if (rows.length === 0) made = found
    else log.error({ made: String(made), found: String(found) }, 'seals of the audit trail are missing')
  }

  /** One round trip a second, where nobody writes. */
  async function isAnyUnsealed(): Promise<boolean> {
    const { rows } = await pool.query<{ any: boolean }>(
      `SELECT EXISTS (SELECT FROM kernel.audit WHERE turn >= greatest(${sealedUpTo}, $1::bigint)) AS any`,
      [String(floor)],
    )
    return rows[0]?.any === true
  }

  async function sealAll(): Promise<void> {
    if (!(await isAnyUnsealed())) return
    for (;;) {
      const sealed = await inTransaction(pool, 'BEGIN', (client) => sealAudit(client, key, floor))
      if (sealed) {
        await missSeals(sealed.found)
        keep(sealed)
      }
      if (!sealed?.isPart || closed) return
    }
  }

  async function purge(): Promise<void> {
    if (Date.now() - purgedAt < purgeEveryMs) return
    purgedAt = Date.now()
    const rows = await purgeAudit(pool, key, () => closed)
    if (rows > 0) log.info({ rows }, 'old rows of the audit trail were purged')
  }

  function work(): Promise<void> {
    working ??= sealAll()
      .then(purge)
      .then(
        () => {
          isFailing = false
        },
        (error: unknown) => {
          if (!isFailing) log.warn({ err: error }, 'the audit trail was not sealed; it is tried again')
          isFailing = true
        },
      )
      .finally(() => {
        working = undefined
      })
    return working
  }

  const timer = setInterval(() => void work(), sealEveryMs)
  timer.unref()

  return {
    async seal() {
      await working
      await work()
    },
    floor: () => made,
    async close() {
      clearInterval(timer)
      closed = true
      await working
    },
  }
}
