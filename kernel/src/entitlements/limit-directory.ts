// The limits of each tenant in each module: default, under what its plan sets, under what an operator has set for the
// module, under what he has set for this tenant in it. Kept in memory until the change feed says otherwise.
import { LRUCache } from 'lru-cache'
import type pg from 'pg'
import type { ChangeFeed } from '../data/change-feed.ts'
import type { Tenant } from '../stages.ts'
import { type LimitOverrides, type Limits, resolveLimits, type WorkKind } from './governor-limits.ts'
import type { PriceBook } from './plans.ts'

/** The limits of one tenant, by module. */
export type TenantLimits = (module: string, kind: WorkKind) => Limits

export interface LimitDirectory {
  limitsOf(tenant: Pick<Tenant, 'id' | 'plan'>): Promise<TenantLimits>
}

const keptTenants = 10_000

interface OverrideRow {
  module: string
  tenant_id: string | null
  limits: LimitOverrides
}

export function createLimitDirectory(pool: pg.Pool, feed: ChangeFeed, book: PriceBook): LimitDirectory {
  const kept = new LRUCache<string, TenantLimits>({ max: keptTenants })
  const plans = new Map(book.plans.map((plan) => [plan.code, plan.limits]))
  // Counts changes, so that what was read before a change is not kept after it.
  let changes = 0

  feed.onChange((change) => {
    if (change.kind !== 'all' && change.kind !== 'limits') return
    changes += 1
    // The plan is part of the key, so a tenant's are several: all are read again, which an operator's change may cost.
    kept.clear()
  })

  function resolver(plan: LimitOverrides | undefined, rows: readonly OverrideRow[]): TenantLimits {
    const resolved = new Map<string, Limits>()
    const find = (module: string, forTenant: boolean) =>
      rows.find((row) => row.module === module && (row.tenant_id !== null) === forTenant)?.limits
    return (module, kind) => {
      const key = `${kind} ${module}`
      const limits = resolved.get(key) ?? resolveLimits(kind, plan, find(module, false), find(module, true))
      resolved.set(key, limits)
      return limits
    }
  }

  return {
    async limitsOf({ id, plan }) {
      const key = `${id} ${plan}`
      const known = kept.get(key)
      if (known) return known
      const before = changes
      const { rows } = await pool.query<OverrideRow>(
        'SELECT module, tenant_id, limits FROM kernel.limit_override WHERE tenant_id IS NULL OR tenant_id = $1',
        [id],
      )
      const limits = resolver(plans.get(plan), rows)
      if (feed.isLive() && before === changes) kept.set(key, limits)
      return limits
    },
  }
}
