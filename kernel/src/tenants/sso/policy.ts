// Where a tenant requires single sign-on, its people enter by it: whoever has an address of its verified domains and came
// another way is sent to the identity provider. Owners are let in, so that a provider that fails locks nobody out for
// good, and so are keys, which have their own end.
import { LRUCache } from 'lru-cache'
import type pg from 'pg'
import type { ChangeFeed } from '../../data/change-feed.ts'
import { fromDatabase } from '../../data/database-failure.ts'
import { allStand, type DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import type { Located } from '../../stages.ts'

const keptTenants = 10_000

type Entering = Pick<Located, 'tenant' | 'actor' | 'role' | 'credential' | 'vouchedBy'>

/** @throws SSO_REQUIRED */
export type CheckSso = (who: Entering) => void | Promise<void>

/** Domains whose people must come by the provider. */
type Required = ReadonlySet<string>

export function createCheckSso(pool: pg.Pool, feed: ChangeFeed, off: DefencesOff = allStand): CheckSso {
  const kept = new LRUCache<string, Required>({ max: keptTenants })
  let changes = 0
  feed.onChange((change) => {
    changes += 1
    if (change.kind === 'all') kept.clear()
    else if (change.kind === 'tenant') kept.delete(change.id)
  })

  async function read(tenantId: string): Promise<Required> {
    const before = changes
    const { rows } = await fromDatabase(() =>
      pool.query<{ domain: string }>(
        `SELECT d.domain FROM kernel.sso_connection c JOIN kernel.sso_domain d ON d.tenant_id = c.tenant_id
          WHERE c.tenant_id = $1 AND c.enforced AND d.verified_at IS NOT NULL`,
        [tenantId],
      ),
    )
    const required = new Set(rows.map(({ domain }) => domain))
    if (feed.isLive() && before === changes) kept.set(tenantId, required)
    return required
  }

  function check(required: Required, { tenant, actor, role, credential, vouchedBy }: Entering): void {
    if (required.size === 0 || role === 'owner' || credential === 'key') return
    if (vouchedBy === tenant.id || off.has('ssoEnforcement')) return
    const domain = actor.email.slice(actor.email.lastIndexOf('@') + 1).toLowerCase()
    if (required.has(domain)) throw errors.ssoRequired({ start: `/v1/auth/sso/start?tenant=${tenant.slug}` })
  }

  return (located) => {
    const known = kept.get(located.tenant.id)
    return known
      ? check(known, located)
      : read(located.tenant.id).then((required) => check(required, located))
  }
}
