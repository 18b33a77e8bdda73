// The e-mail domains of a tenant: shown to be its own by a TXT record, and then of nobody else. Its identity provider is
// believed for addresses of these domains and for no others.
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import type { Logger } from 'pino'
import { auditedBy } from '../../audit/write-audit.ts'
import { errors } from '../../errors.ts'
import type { Located } from '../../stages.ts'
import type { ControlTransaction, RunControl } from '../control-transaction.ts'
import { type AskChallenge, challengeRecord } from '../dns-challenge.ts'
import { domainName } from '../domain-name.ts'
import { createDomainRecheck } from '../domain-recheck.ts'
import { mayChangeSso, mayManageSso } from './connection.ts'

const mostDomains = 50

export interface SsoDomain {
  readonly domain: string
  /** Name and value of the TXT record that shows whose domain it is. */
  readonly record: string
  readonly value: string
  readonly verifiedAt?: string
  readonly checkedAt?: string
  /** The record is not there any more: after three days the domain is the tenant's no longer. */
  readonly failingSince?: string
}

interface DomainRow {
  tenant_id: string
  domain: string
  challenge: string
  verified_at: Date | null
  checked_at: Date | null
  failing_since: Date | null
}

const fromRow = (row: DomainRow): SsoDomain => ({
  domain: row.domain,
  record: challengeRecord(row.domain),
  value: row.challenge,
  ...(row.verified_at === null ? {} : { verifiedAt: row.verified_at.toISOString() }),
  ...(row.checked_at === null ? {} : { checkedAt: row.checked_at.toISOString() }),
  ...(row.failing_since === null ? {} : { failingSince: row.failing_since.toISOString() }),
})

async function record(tx: ControlTransaction, by: Located, domain: string, action: string): Promise<void> {
  await tx.audit({
    tenantId: by.tenant.id,
    ...auditedBy(by),
    entity: 'singleSignOnDomain',
    recordId: domain,
    action,
  })
  await tx.announce({ kind: 'tenant', id: by.tenant.id })
}

async function readDomain(tx: ControlTransaction, by: Located, domain: string): Promise<DomainRow> {
  const [row] = await tx.query<DomainRow>(
    'SELECT * FROM kernel.sso_domain WHERE tenant_id = $1 AND domain = $2 FOR UPDATE',
    [by.tenant.id, domain],
  )
  if (!row) throw errors.recordNotFound({ entity: 'domain', id: domain.slice(0, 253) })
  return row
}

export interface SsoDomains {
  list(by: Located): Promise<readonly SsoDomain[]>
  /** @throws VALIDATION_FAILED for what nobody can own alone */
  add(by: Located, domain: string, run?: RunControl): Promise<SsoDomain>
  /** Asks DNS; `run` carries out the change. @throws SSO_DOMAIN_NOT_VERIFIED, SSO_DOMAIN_TAKEN */
  verify(by: Located, domain: string, run?: RunControl): Promise<SsoDomain>
  remove(by: Located, domain: string): Promise<void>
  /** Looks at the records of verified domains again whose turn it is. Answers how many it looked at. */
  recheck(): Promise<number>
}

export function createSsoDomains(parts: {
  readonly pool: pg.Pool
  readonly runControl: RunControl
  readonly askChallenge: AskChallenge
  readonly log: Logger
}): SsoDomains {
  const { runControl, askChallenge: ask } = parts
  const { look, recheck } = createDomainRecheck<DomainRow>({
    ...parts,
    table: 'kernel.sso_domain',
    entity: 'singleSignOnDomain',
    view: fromRow,
    changeOf: ({ tenant_id }) => ({ kind: 'tenant', id: tenant_id }),
  })
  return {
    recheck,
    async list(by) {
      mayManageSso(by)
      const rows = await runControl((tx) =>
        tx.query<DomainRow>('SELECT * FROM kernel.sso_domain WHERE tenant_id = $1 ORDER BY domain', [
          by.tenant.id,
        ]),
      )
      return rows.map(fromRow)
    },
    async add(by, given, run = runControl) {
      mayChangeSso(by)
      const domain = domainName(given)
      return run(async (tx) => {
        await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [by.tenant.id])
        const [taken] = await tx.query<{ count: number }>(
          'SELECT count(*)::int AS count FROM kernel.sso_domain WHERE tenant_id = $1',
          [by.tenant.id],
        )
        if ((taken?.count ?? 0) >= mostDomains) {
          const message = `there are ${mostDomains} domains already`
          throw errors.validation({ errors: [{ field: 'domain', code: 'TOO_MANY', message }] })
        }
        const challenge = `plinth-sso=${randomBytes(20).toString('hex')}`
        await tx.query(
          'INSERT INTO kernel.sso_domain (tenant_id, domain, challenge) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
          [by.tenant.id, domain, challenge],
        )
        await record(tx, by, domain, 'added')
        return fromRow(await readDomain(tx, by, domain))
      })
    },
    async verify(by, given, run = runControl) {
      mayChangeSso(by)
      const domain = domainName(given)
      const { challenge } = await runControl((tx) => readDomain(tx, by, domain))
      // Not inside a transaction: DNS may take seconds.
      const { found, reason } = await ask(domain, challenge)
      if (!found) throw errors.ssoDomainNotVerified({ domain, record: challengeRecord(domain), reason })
      const [before] = await runControl((tx) =>
        tx.query<DomainRow>(
          'SELECT * FROM kernel.sso_domain WHERE domain = $2 AND verified_at IS NOT NULL AND tenant_id <> $1',
          [by.tenant.id, domain],
        ),
      )
      // Who has it may have lost it: then this begins his time, or finds it over.
      if (before) await look(before)
      return run(async (tx) => {
        // Of two tenants that show the same domain at once one waits here and finds it taken.
        await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('sso ' || $1, 0))", [domain])
        const other = await tx.query(
          'SELECT 1 FROM kernel.sso_domain WHERE domain = $2 AND verified_at IS NOT NULL AND tenant_id <> $1',
          [by.tenant.id, domain],
        )
        if (other.length > 0) throw errors.ssoDomainTaken({ domain })
        await tx.query(
          `UPDATE kernel.sso_domain SET verified_at = now(), checked_at = now(), failing_since = NULL
            WHERE tenant_id = $1 AND domain = $2 AND challenge = $3`,
          [by.tenant.id, domain, challenge],
        )
        await record(tx, by, domain, 'verified')
        return fromRow(await readDomain(tx, by, domain))
      })
    },
    async remove(by, given) {
      mayChangeSso(by)
      const domain = given.toLowerCase()
      await runControl(async (tx) => {
        await readDomain(tx, by, domain)
        await tx.query('DELETE FROM kernel.sso_domain WHERE tenant_id = $1 AND domain = $2', [
          by.tenant.id,
          domain,
        ])
        await record(tx, by, domain, 'removed')
      })
    },
  }
}
