// What people were given, in memory: read once, and forgotten for a whole tenant when the change feed says that anything
// of it has changed, for what one person may do can depend on another who lent it. While the feed is down nothing is kept.
import { LRUCache } from 'lru-cache'
import type pg from 'pg'
import type { ChangeFeed } from '../data/change-feed.ts'
import { fromDatabase } from '../data/database-failure.ts'
import type { MembershipRole } from '../stages.ts'
import type { Grants } from './grants.ts'
import { type RunQuery, readGrants } from './read-grants.ts'
import type { ScopeSource } from './scope-source.ts'

const keptTenants = 10_000
const keptOfTenant = 10_000

export interface GrantDirectory {
  /** `role` is that of his membership now: what was read for another is not what he has. */
  grantsOf(tenantId: string, userId: string, role: MembershipRole): Promise<Grants>
}

export function createGrantDirectory(pool: pg.Pool, feed: ChangeFeed, scopes: ScopeSource): GrantDirectory {
  const tenants = new LRUCache<string, Map<string, Grants>>({ max: keptTenants })
  // Counts changes, so that what was read before a change is not kept after it.
  let changes = 0

  feed.onChange(({ kind, id }) => {
    if (kind !== 'all' && kind !== 'access' && kind !== 'member' && kind !== 'tenant') return
    changes += 1
    if (kind === 'all') tenants.clear()
    // A member's key begins with his tenant.
    else tenants.delete(id.split(' ')[0] ?? '')
  })

  const query: RunQuery = async (text, values) =>
    (await fromDatabase(() => pool.query(text, [...values]))).rows

  return {
    async grantsOf(tenantId, userId, role) {
      const known = tenants.get(tenantId)?.get(userId)
      if (known && known.role === role && (known.until === undefined || Date.now() < known.until))
        return known
      const before = changes
      const grants = await readGrants(query, scopes, tenantId, userId, role)
      if (feed.isLive() && before === changes) {
        const kept = tenants.get(tenantId)
        const ofTenant = kept && kept.size < keptOfTenant ? kept : new Map<string, Grants>()
        tenants.set(tenantId, ofTenant)
        ofTenant.set(userId, grants)
      }
      return grants
    },
  }
}
