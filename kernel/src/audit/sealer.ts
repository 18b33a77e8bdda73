// Seals the audit trail a second after it was written, and takes from it, once in a while, what no plan keeps any longer.
// Every kernel process has one; they take turns.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { AuditKey } from './audit-digest.ts'
import { inTransaction } from './control-client.ts'
import { purgeAudit } from './purge-audit.ts'
import { type Sealed, sealAudit } from './seal-audit.ts'

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
  let working: Promise<void> | undefined
  let closed = false
  let isFailing = false
  let purgedAt = Date.now()

  function keep(sealed: Sealed): void {
    if (sealed.found < made)
      log.error({ made: String(made), found: String(sealed.found) }, 'seals of the audit trail are missing')
    floor = sealed.upTo
    if (sealed.rows > 0) made = sealed.upTo
  }

  async function sealAll(): Promise<void> {
    for (;;) {
      const sealed = await inTransaction(pool, 'BEGIN', (client) => sealAudit(client, key, floor))
      if (sealed) keep(sealed)
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
