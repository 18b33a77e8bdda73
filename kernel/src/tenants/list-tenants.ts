// What the operator sees of tenants: what they are and how much of them there is, nothing of what they hold.
import type pg from 'pg'
import { errors } from '../errors.ts'
import type { TenantState } from '../stages.ts'
import type { ControlTransaction } from './control-transaction.ts'
import { invitedByOperator } from './invite-owner.ts'

export interface TenantRecord {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly plan: string
  readonly state: TenantState
  readonly stateSince: string
  readonly reason?: string
  readonly eraseAfter?: string
  readonly currency: string
  readonly locale: string
  readonly timeZone: string
  readonly country?: string
  readonly company?: string
  readonly members: number
  readonly owners: readonly string[]
  /** Who was asked to own it and has not answered. */
  readonly invitedOwner?: string
  readonly modules: readonly string[]
  readonly version: number
  readonly createdAt: string
}

export interface TenantFilter {
  readonly state?: TenantState
  readonly plan?: string
  /** A part of the slug or the name. */
  readonly search?: string
}

type Row = Omit<
  TenantRecord,
  'stateSince' | 'reason' | 'eraseAfter' | 'country' | 'company' | 'createdAt' | 'invitedOwner'
> & {
  invitedOwner: string | null
  stateSince: Date
  reason: string | null
  eraseAfter: Date | null
  country: string | null
  company: string | null
  createdAt: Date
}

const selectTenants = `
  SELECT t.id, t.slug, t.name, t.plan, t.state, t.state_since AS "stateSince", t.state_reason AS reason,
         t.erase_after AS "eraseAfter", t.currency, t.locale, t.time_zone AS "timeZone", t.country, t.company, t.version,
         t.created_at AS "createdAt",
         (SELECT count(*)::int FROM kernel.membership m WHERE m.tenant_id = t.id) AS members,
         coalesce((SELECT array_agg(u.email ORDER BY u.email) FROM kernel.membership m JOIN identity."user" u ON u.id = m.user_id
                    WHERE m.tenant_id = t.id AND m.role = 'owner'), '{}') AS owners,
         (SELECT i.email FROM kernel.invitation i WHERE i.tenant_id = t.id AND i.invited_by = '${invitedByOperator}'
             AND i.accepted_at IS NULL AND i.revoked_at IS NULL) AS "invitedOwner",
         coalesce((SELECT array_agg(e.module ORDER BY e.module) FROM kernel.tenant_module e WHERE e.tenant_id = t.id), '{}') AS modules
    FROM kernel.tenant t`

const record = ({
  stateSince,
  reason,
  eraseAfter,
  country,
  company,
  createdAt,
  invitedOwner,
  ...row
}: Row): TenantRecord => ({
  ...row,
  stateSince: stateSince.toISOString(),
  createdAt: createdAt.toISOString(),
  ...(reason === null ? {} : { reason }),
  ...(eraseAfter === null ? {} : { eraseAfter: eraseAfter.toISOString() }),
  ...(country === null ? {} : { country }),
  ...(company === null ? {} : { company }),
  ...(invitedOwner === null ? {} : { invitedOwner }),
})

/** By slug; the cursor is the last one of the page before. */
export async function listTenants(
  pool: pg.Pool,
  { state, plan, search }: TenantFilter,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: TenantRecord[]; cursor?: string }> {
  const { rows } = await pool.query<Row>(
    `${selectTenants} WHERE ($1::text IS NULL OR t.state = $1) AND ($2::text IS NULL OR t.plan = $2)
        AND ($3::text IS NULL OR strpos(t.slug, lower($3)) > 0 OR strpos(lower(t.name), lower($3)) > 0)
        AND t.slug > $4
      ORDER BY t.slug LIMIT $5`,
    [state ?? null, plan ?? null, search ?? null, page.cursor ?? '', page.limit + 1],
  )
  const items = rows.slice(0, page.limit).map(record)
  const last = items.at(-1)
  return rows.length > page.limit && last ? { items, cursor: last.slug } : { items }
}

/** By slug or id. @throws TENANT_NOT_FOUND */
export const getTenant = (pool: pg.Pool, name: string): Promise<TenantRecord> =>
  tenantRecordIn({ query: async (text, values) => (await pool.query(text, [...values])).rows }, name)

/** The same, as the transaction leaves it. */
export async function tenantRecordIn(
  tx: Pick<ControlTransaction, 'query'>,
  name: string,
): Promise<TenantRecord> {
  const [row] = await tx.query<Row>(`${selectTenants} WHERE t.slug = $1 OR t.id::text = $1`, [
    name.toLowerCase(),
  ])
  if (!row) throw errors.tenantNotFound({ tenant: name.slice(0, 64) })
  return record(row)
}
