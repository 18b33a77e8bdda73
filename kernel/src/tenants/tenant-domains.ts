// A tenant's own domains. Anybody may say that a domain is his; one tenant shows it with a TXT record, and keeps it while
// the record is there. The record is looked at again and again: a domain that was sold must not go on naming the tenant
// that had it, and its new owner must be able to take it.
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import type { Logger } from 'pino'
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from './control-transaction.ts'
import { type AskChallenge, challengeRecord } from './dns-challenge.ts'
import { domainName } from './domain-name.ts'
import { createDomainRecheck } from './domain-recheck.ts'
import type { TenantHosts } from './tenant-hosts.ts'

export interface TenantDomain {
  readonly domain: string
  readonly state: 'pending' | 'verified' | 'failing'
  /** What DNS must say: a TXT record of this name with this value. */
  readonly record: { readonly type: 'TXT'; readonly name: string; readonly value: string }
  readonly addedAt: string
  readonly verifiedAt?: string
  readonly checkedAt?: string
  readonly failingSince?: string
}

export interface TenantDomains {
  list(
    tenantId: string,
    page: { limit: number; cursor?: string },
  ): Promise<{ items: TenantDomain[]; cursor?: string }>
  /** `run` carries out the change. */
  add(by: Located, domain: string, run?: RunControl): Promise<TenantDomain>
  /** The same. @throws DOMAIN_NOT_FOUND, DOMAIN_NOT_VERIFIED, DOMAIN_TAKEN */
  verify(by: Located, domain: string, run?: RunControl): Promise<TenantDomain>
  remove(by: Located, domain: string): Promise<void>
  /** Looks at the records of verified domains again whose turn it is. Answers how many it looked at. */
  recheck(): Promise<number>
}

interface DomainRow {
  tenant_id: string
  domain: string
  challenge: string
  added_at: Date
  verified_at: Date | null
  checked_at: Date | null
  failing_since: Date | null
}

const mostDomains = 50

const iso = (key: string, date: Date | null) => (date === null ? {} : { [key]: date.toISOString() })

const view = (row: DomainRow): TenantDomain => ({
  domain: row.domain,
  state: row.verified_at === null ? 'pending' : row.failing_since === null ? 'verified' : 'failing',
  record: { type: 'TXT', name: challengeRecord(row.domain), value: row.challenge },
  addedAt: row.added_at.toISOString(),
  ...iso('verifiedAt', row.verified_at),
  ...iso('checkedAt', row.checked_at),
  ...iso('failingSince', row.failing_since),
})

export function createTenantDomains(parts: {
  readonly pool: pg.Pool
  readonly runControl: RunControl
  readonly hosts: Pick<TenantHosts, 'isInstallations'>
  readonly askChallenge: AskChallenge
  readonly log: Logger
}): TenantDomains {
  const { pool, runControl, askChallenge } = parts

  const auditOf = (by: Located, domain: string) => ({
    tenantId: by.tenant.id,
    ...auditedBy(by),
    entity: 'domain',
    recordId: domain,
  })

  async function own(tenantId: string, domain: string): Promise<DomainRow> {
    const { rows } = await pool.query<DomainRow>(
      'SELECT * FROM kernel.tenant_domain WHERE tenant_id = $1 AND domain = $2',
      [tenantId, domain],
    )
    const [row] = rows
    if (!row) throw errors.domainNotFound({ domain })
    return row
  }

  const holder = async (domain: string): Promise<DomainRow | undefined> => {
    const { rows } = await pool.query<DomainRow>(
      'SELECT * FROM kernel.tenant_domain WHERE domain = $1 AND verified_at IS NOT NULL',
      [domain],
    )
    return rows[0]
  }

  const { look, recheck } = createDomainRecheck<DomainRow>({
    ...parts,
    table: 'kernel.tenant_domain',
    entity: 'domain',
    view,
    changeOf: ({ domain }) => ({ kind: 'domain', id: domain }),
  })

  return {
    async list(tenantId, { limit, cursor }) {
      const { rows } = await pool.query<DomainRow>(
        'SELECT * FROM kernel.tenant_domain WHERE tenant_id = $1 AND domain > $2 ORDER BY domain LIMIT $3',
        [tenantId, cursor ?? '', limit + 1],
      )
      const items = rows.slice(0, limit).map(view)
      const last = items.at(-1)
      return rows.length > limit && last ? { items, cursor: last.domain } : { items }
    },
    async add(by, text, run = runControl) {
      const domain = domainName(text)
      if (parts.hosts.isInstallations(domain)) {
        const message = "is the installation's own"
        throw errors.validation({ errors: [{ field: 'domain', code: 'INVALID', message }] })
      }
      return run(async (tx) => {
        await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [by.tenant.id])
        const [count] = await tx.query<{ count: number }>(
          'SELECT count(*)::int FROM kernel.tenant_domain WHERE tenant_id = $1',
          [by.tenant.id],
        )
        if ((count?.count ?? 0) >= mostDomains) {
          const message = `is one more than the ${mostDomains} domains that a tenant may have`
          throw errors.validation({ errors: [{ field: 'domain', code: 'TOO_MANY', message }] })
        }
        const challenge = `plinth-verify=${randomBytes(24).toString('base64url')}`
        const [row] = await tx.query<DomainRow>(
          `INSERT INTO kernel.tenant_domain (tenant_id, domain, challenge, added_by) VALUES ($1, $2, $3, $4)
           ON CONFLICT DO NOTHING RETURNING *`,
          [by.tenant.id, domain, challenge, by.actor.id],
        )
        if (!row) throw errors.recordConflict({ entity: 'domain', fields: ['domain'] })
        await tx.audit({ ...auditOf(by, domain), action: 'added', after: { domain } })
        return view(row)
      })
    },
    async verify(by, text, run = runControl) {
      const domain = domainName(text)
      const row = await own(by.tenant.id, domain)
      // DNS is asked outside the transaction: nobody waits with a lock for a server that is slow.
      const { found, reason } = await askChallenge(domain, row.challenge)
      if (!found) throw errors.domainNotVerified({ domain, record: challengeRecord(domain), reason })
      const before = await holder(domain)
      // Who has it may have lost it: then this begins his time, or finds it over.
      if (before && before.tenant_id !== by.tenant.id) await look(before)
      return run(async (tx) => {
        const [taken] = await tx.query<{ tenant_id: string }>(
          'SELECT tenant_id FROM kernel.tenant_domain WHERE domain = $1 AND verified_at IS NOT NULL AND tenant_id <> $2',
          [domain, by.tenant.id],
        )
        if (taken) throw errors.domainTaken({ domain })
        const [verified] = await tx
          .query<DomainRow>(
            `UPDATE kernel.tenant_domain SET verified_at = coalesce(verified_at, now()), checked_at = now(), failing_since = NULL
              WHERE tenant_id = $1 AND domain = $2 RETURNING *`,
            [by.tenant.id, domain],
          )
          .catch((error: unknown) => {
            throw isUniqueViolation(error) ? errors.domainTaken({ domain }) : error
          })
        if (!verified) throw errors.domainNotFound({ domain })
        await tx.audit({ ...auditOf(by, domain), action: 'verified', after: view(verified) })
        await tx.announce({ kind: 'domain', id: domain })
        return view(verified)
      })
    },
    async remove(by, text) {
      const domain = domainName(text)
      await runControl(async (tx) => {
        const [gone] = await tx.query<DomainRow>(
          'DELETE FROM kernel.tenant_domain WHERE tenant_id = $1 AND domain = $2 RETURNING *',
          [by.tenant.id, domain],
        )
        if (!gone) throw errors.domainNotFound({ domain })
        await tx.audit({ ...auditOf(by, domain), action: 'removed', before: view(gone) })
        await tx.announce({ kind: 'domain', id: domain })
      })
    },
    recheck,
  }
}

const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23505'
