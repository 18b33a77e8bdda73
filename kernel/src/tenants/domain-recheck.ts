// Domains that were shown to be a tenant's are looked at again and again: one that was sold must not go on speaking for the
// tenant that had it. A record that is gone for three days ends the claim; a name server that does not answer ends nothing.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Change } from '../data/change-feed.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'
import type { AskChallenge } from './dns-challenge.ts'

export interface ClaimedDomain {
  readonly tenant_id: string
  readonly domain: string
  readonly challenge: string
}

export interface DomainRecheck<Row extends ClaimedDomain> {
  /** Looks at the record of a verified domain, and ends the claim when it has been gone for long. */
  look(row: Row): Promise<void>
  /** Of those whose turn it is. Answers how many it looked at. */
  recheck(): Promise<number>
}

const recheckHours = 12
/** A record that is gone this long has ended the claim. Shorter: somebody repairs his DNS. */
const lapseHours = 72
const mostAtOnce = 50

export function createDomainRecheck<Row extends ClaimedDomain>(parts: {
  readonly pool: pg.Pool
  readonly runControl: RunControl
  readonly askChallenge: AskChallenge
  readonly log: Logger
  /** With verified_at, checked_at and failing_since. */
  readonly table: 'kernel.tenant_domain' | 'kernel.sso_domain'
  /** Its name in the audit trail. */
  readonly entity: string
  readonly view: (row: Row) => object
  /** Whom the end of a claim is told to. */
  readonly changeOf: (row: Row) => Change
}): DomainRecheck<Row> {
  const { pool, runControl, askChallenge, log, table } = parts

  async function end(tx: ControlTransaction, row: Row): Promise<void> {
    await tx.audit({
      tenantId: row.tenant_id,
      actorId: 'kernel',
      requestId: 'domains',
      entity: parts.entity,
      recordId: row.domain,
      action: 'lapsed',
      before: parts.view(row),
    })
    await tx.announce(parts.changeOf(row))
  }

  async function look(row: Row): Promise<void> {
    const { found } = await askChallenge(row.domain, row.challenge)
    await runControl(async (tx) => {
      const [now] = await tx.query<Row & { lapsed: boolean }>(
        `SELECT *, failing_since < now() - make_interval(hours => ${lapseHours}) AS lapsed FROM ${table}
          WHERE tenant_id = $1 AND domain = $2 AND verified_at IS NOT NULL FOR UPDATE`,
        [row.tenant_id, row.domain],
      )
      if (!now) return
      if (found === false && now.lapsed) {
        await tx.query(
          `UPDATE ${table} SET verified_at = NULL, failing_since = NULL, checked_at = now()
            WHERE tenant_id = $1 AND domain = $2`,
          [row.tenant_id, row.domain],
        )
        return end(tx, now)
      }
      await tx.query(
        `UPDATE ${table} SET checked_at = now(),
                failing_since = CASE WHEN $3 THEN NULL WHEN $4 THEN coalesce(failing_since, now()) ELSE failing_since END
          WHERE tenant_id = $1 AND domain = $2`,
        [row.tenant_id, row.domain, found === true, found === false],
      )
    })
  }

  return {
    look,
    async recheck() {
      // Whose turn it is, is noted before DNS is asked: of two processes one asks.
      const { rows } = await pool.query<Row>(
        `UPDATE ${table} d SET checked_at = now() FROM (
           SELECT tenant_id, domain FROM ${table}
            WHERE verified_at IS NOT NULL AND checked_at < now() - make_interval(hours => ${recheckHours})
            ORDER BY checked_at LIMIT ${mostAtOnce} FOR UPDATE SKIP LOCKED) due
          WHERE d.tenant_id = due.tenant_id AND d.domain = due.domain RETURNING d.*`,
      )
      for (const row of rows) {
        await look(row).catch((error: unknown) =>
          log.warn({ err: error, domain: row.domain }, 'a domain could not be looked at'),
        )
      }
      return rows.length
    },
  }
}
