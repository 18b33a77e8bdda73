// Which tenant a host name stands for: its subdomain of a base domain, or a domain of its own that it has verified. In
// memory, forgotten when the change feed says so. A host is a claim like a header: it lets nobody in by itself.
import { LRUCache } from 'lru-cache'
import type pg from 'pg'
import type { ChangeFeed } from '../data/change-feed.ts'
import { fromDatabase } from '../data/database-failure.ts'

/** Each about 0.3 KB; most that are asked for belong to nobody, and are kept as such. */
const keptHosts = 50_000

/** Subdomains that are the installation's own: they name no tenant, and no new tenant is called so. */
export const reservedSlugs: ReadonlySet<string> = new Set([
  ...['www', 'api', 'app', 'admin', 'auth', 'login', 'sso', 'console', 'operator', 'status', 'docs', 'help'],
  ...['mail', 'smtp', 'imap', 'mx', 'ns', 'ns1', 'ns2', 'ftp', 'cdn', 'static', 'assets', 'plinth'],
])

export interface TenantHosts {
  /** Slug or id of the tenant that the host stands for; undefined when it says nothing of a tenant. */
  tenantAt(host: string): string | undefined | Promise<string | undefined>
  /** Whether the name is a base domain, under one, or above one: no tenant can have it for itself. */
  isInstallations(domain: string): boolean
}

export function createTenantHosts(
  pool: pg.Pool,
  feed: ChangeFeed,
  baseDomains: readonly string[],
): TenantHosts {
  /** '' for nobody's. */
  const owners = new LRUCache<string, string>({ max: keptHosts })
  let changes = 0
  feed.onChange((change) => {
    changes += 1
    if (change.kind === 'all') owners.clear()
    else if (change.kind === 'domain') owners.delete(change.id)
  })

  async function lookUp(host: string): Promise<string | undefined> {
    const before = changes
    const { rows } = await fromDatabase(() =>
      pool.query<{ tenant_id: string }>(
        'SELECT tenant_id FROM kernel.tenant_domain WHERE domain = $1 AND verified_at IS NOT NULL',
        [host],
      ),
    )
    const owner = rows[0]?.tenant_id ?? ''
    if (feed.isLive() && before === changes) owners.set(host, owner)
    return owner === '' ? undefined : owner
  }

  return {
    tenantAt(host) {
      for (const base of baseDomains) {
        if (host === base) return undefined
        if (!host.endsWith(`.${base}`)) continue
        // `a.acme.erp.example` is a name that no tenant has: it is refused as any other is.
        const name = host.slice(0, -base.length - 1)
        return reservedSlugs.has(name) ? undefined : name
      }
      const known = owners.get(host)
      if (known !== undefined) return known === '' ? undefined : known
      return lookUp(host)
    },
    isInstallations: (domain) =>
      baseDomains.some(
        (base) => domain === base || domain.endsWith(`.${base}`) || base.endsWith(`.${domain}`),
      ),
  }
}
