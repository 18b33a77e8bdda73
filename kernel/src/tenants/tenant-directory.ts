// Tenants and memberships in memory, read from the database once and forgotten when the change feed says so.
// While the feed is down nothing is kept: correctness before speed.
import type { Json } from '@plinth/sdk'
import { LRUCache } from 'lru-cache'
import type pg from 'pg'
import type { ChangeFeed } from '../data/change-feed.ts'
import { fromDatabase } from '../data/database-failure.ts'
import { selectRates } from '../entitlements/tenant-rates.ts'
import { errors } from '../errors.ts'
import type { Consent, MembershipRole, ModuleChoice, Tenant, TenantRates, TenantState } from '../stages.ts'

import type { ControlTransaction } from './control-transaction.ts'

/** About 0.5 KB each. */
const keptTenants = 10_000
const keptMemberships = 100_000

export interface TenantDirectory {
  /** The tenant with this slug or id. */
  find(slugOrId: string): Promise<Tenant | undefined>
  roleOf(tenantId: string, userId: string): Promise<MembershipRole | undefined>
  /** The tenants a person is a member of, oldest membership first. */
  tenantsOf(userId: string): Promise<readonly { tenant: Tenant; role: MembershipRole }[]>
  /** Id of the tenant a person enters when nothing names one: the one he chose, else the only one. */
  homeOf(userId: string): Promise<string | undefined>
}

interface TenantRow {
  id: string
  slug: string
  name: string
  currency: string
  plan: string
  state: TenantState
  state_reason: string | null
  erase_after: Date | null
  locale: string
  time_zone: string
  country: string | null
  company: string | null
  version: number
  created_at: Date
  modules: Record<string, { channel: ModuleChoice['channel']; pinned: string | null }>
  settings: Record<string, Record<string, Json>>
  consents: Record<string, Consent>
  rates: TenantRates | null
}

const selectTenant = `
  SELECT t.id, t.slug, t.name, t.currency, t.plan, t.created_at, t.state, t.state_reason, t.erase_after, t.locale, t.time_zone,
         t.country, t.company, t.version, ${selectRates} AS rates,
         coalesce((SELECT jsonb_object_agg(m.module, jsonb_build_object('channel', m.channel, 'pinned', m.pinned))
                     FROM kernel.tenant_module m WHERE m.tenant_id = t.id), '{}') AS modules,
         coalesce((SELECT jsonb_object_agg(s.module, s.settings) FROM kernel.module_setting s WHERE s.tenant_id = t.id), '{}') AS settings,
         coalesce((SELECT jsonb_object_agg(c.module, jsonb_build_object('http', c.http, 'changedAt', c.changed_at, 'changedBy', c.changed_by))
                     FROM kernel.module_consent c WHERE c.tenant_id = t.id), '{}') AS consents
    FROM kernel.tenant t`

const selectHome = `
  SELECT coalesce(
    (SELECT d.tenant_id FROM kernel.default_tenant d JOIN kernel.membership m USING (tenant_id, user_id) WHERE d.user_id = $1),
    (SELECT min(m.tenant_id::text)::uuid FROM kernel.membership m WHERE m.user_id = $1 HAVING count(*) = 1)) AS id`

/** Of a slug or an id. */
const nameForm = /^[a-z0-9-]{1,63}$/i
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const tenantFromRow = (row: TenantRow): Tenant => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  currency: row.currency,
  plan: row.plan,
  state: row.state,
  ...(row.state_reason === null ? {} : { reason: row.state_reason }),
  ...(row.erase_after === null ? {} : { eraseAfter: row.erase_after.toISOString() }),
  locale: row.locale,
  timeZone: row.time_zone,
  ...(row.country === null ? {} : { country: row.country }),
  ...(row.company === null ? {} : { company: row.company }),
  version: row.version,
  createdAt: row.created_at.toISOString(),
  modules: new Map(
    Object.entries(row.modules).map(([module, { channel, pinned }]) => [
      module,
      pinned === null ? { channel } : { channel, pinned },
    ]),
  ),
  settings: new Map(Object.entries(row.settings)),
  consents: new Map(Object.entries(row.consents)),
  ...(row.rates === null ? {} : { rates: row.rates }),
})

/** As the transaction leaves it. @throws TENANT_NOT_FOUND */
export async function readTenant(tx: ControlTransaction, id: string): Promise<Tenant> {
  const [row] = await tx.query<TenantRow>(`${selectTenant} WHERE t.id = $1`, [id])
  if (!row) throw errors.tenantNotFound({ tenant: id })
  return tenantFromRow(row)
}

export function createTenantDirectory(pool: pg.Pool, feed: ChangeFeed): TenantDirectory {
  const tenants = new LRUCache<string, Tenant>({ max: keptTenants })
  // A slug never changes, so this needs no forgetting: only the tenant behind the id does.
  const ids = new LRUCache<string, string>({ max: keptTenants })
  const roles = new LRUCache<string, MembershipRole>({ max: keptMemberships })
  const homes = new LRUCache<string, string>({ max: keptMemberships })
  // Counts changes, so that a row read before a change is not kept after it.
  let changes = 0

  feed.onChange((change) => {
    changes += 1
    if (change.kind === 'all') {
      tenants.clear()
      roles.clear()
      homes.clear()
    } else if (change.kind === 'tenant') {
      tenants.delete(change.id)
    } else if (change.kind === 'member') {
      roles.delete(change.id)
      homes.delete(change.id.slice(change.id.indexOf(' ') + 1))
    }
  })

  const query = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) =>
    (await fromDatabase(() => pool.query<Row>(text, [...values]))).rows

  async function fresh<T>(read: () => Promise<T>, keep: (value: T) => void): Promise<T> {
    const before = changes
    const value = await read()
    if (feed.isLive() && before === changes) keep(value)
    return value
  }

  return {
    async find(slugOrId) {
      // Nobody's, and not always a text that the database takes.
      if (!nameForm.test(slugOrId)) return undefined
      // An id is looked up as an id alone, whatever anybody calls his tenant.
      const id = uuid.test(slugOrId) ? slugOrId : ids.get(slugOrId)
      const known = id === undefined ? undefined : tenants.get(id)
      if (known) return known
      return fresh(
        async () => {
          const by = uuid.test(slugOrId) ? 'WHERE t.id = $1' : 'WHERE t.slug = $1'
          const [row] = await query<TenantRow>(`${selectTenant} ${by}`, [slugOrId])
          return row && tenantFromRow(row)
        },
        (tenant) => {
          if (!tenant) return
          tenants.set(tenant.id, tenant)
          ids.set(tenant.slug, tenant.id)
        },
      )
    },
    async roleOf(tenantId, userId) {
      const key = membershipKey(tenantId, userId)
      const known = roles.get(key)
      if (known) return known
      return fresh(
        async () => {
          const [row] = await query<{ role: MembershipRole }>(
            'SELECT role FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2',
            [tenantId, userId],
          )
          return row?.role
        },
        (role) => {
          if (role) roles.set(key, role)
        },
      )
    },
    async tenantsOf(userId) {
      const rows = await query<TenantRow & { role: MembershipRole }>(
        `SELECT s.*, m.role FROM kernel.membership m JOIN (${selectTenant}) s ON s.id = m.tenant_id
          WHERE m.user_id = $1 ORDER BY m.created_at, s.slug LIMIT 500`,
        [userId],
      )
      return rows.map((row) => ({ tenant: tenantFromRow(row), role: row.role }))
    },
    async homeOf(userId) {
      const known = homes.get(userId)
      if (known) return known
      return fresh(
        async () => {
          const [row] = await query<{ id: string | null }>(selectHome, [userId])
          return row?.id ?? undefined
        },
        (id) => {
          if (id) homes.set(userId, id)
        },
      )
    },
  }
}

/** Key of a membership in the change feed. */
export const membershipKey = (tenantId: string, userId: string): string => `${tenantId} ${userId}`
