// The origins whose pages may read a tenant's answers in a browser (CORS). All of them are in memory: a browser asks
// before it sends anything that would say whose request it will be, and anybody can ask that.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { ChangeFeed } from '../data/change-feed.ts'
import { fromDatabase } from '../data/database-failure.ts'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'

export interface TenantOrigins {
  readonly origins: readonly string[]
  readonly version: number
}

export interface OriginDirectory {
  /** Of one tenant; without one, whether any tenant has it. */
  allows(origin: string, tenantId: string | undefined): boolean
}

const none: TenantOrigins = { origins: [], version: 1 }

export async function openOriginDirectory(
  pool: pg.Pool,
  feed: ChangeFeed,
  log: Logger,
): Promise<OriginDirectory> {
  const tenants = new Map<string, ReadonlySet<string>>()
  /** How many tenants have it. */
  const uses = new Map<string, number>()

  function put(tenant: string, origins: readonly string[]): void {
    for (const origin of tenants.get(tenant) ?? []) {
      const left = (uses.get(origin) ?? 1) - 1
      if (left > 0) uses.set(origin, left)
      else uses.delete(origin)
    }
    tenants.delete(tenant)
    if (origins.length === 0) return
    const kept = new Set(origins)
    tenants.set(tenant, kept)
    for (const origin of kept) uses.set(origin, (uses.get(origin) ?? 0) + 1)
  }

  async function read(tenant?: string): Promise<void> {
    const { rows } = await fromDatabase(() =>
      pool.query<{ tenant_id: string; origins: string[] }>(
        'SELECT tenant_id, origins FROM kernel.tenant_cors WHERE $1::uuid IS NULL OR tenant_id = $1',
        [tenant ?? null],
      ),
    )
    const gone = tenant === undefined ? [...tenants.keys()] : [tenant]
    for (const one of gone) put(one, [])
    for (const { tenant_id, origins } of rows) put(tenant_id, origins)
  }

  feed.onChange(async ({ kind, id }) => {
    if (kind !== 'origins' && kind !== 'all') return
    try {
      await read(kind === 'origins' ? id : undefined)
    } catch (error) {
      // What is not known is not allowed; the feed says `all` when the database is back.
      for (const one of [...tenants.keys()]) put(one, [])
      log.warn({ err: error }, 'the origins of the tenants could not be read')
    }
  })
  await read()

  return {
    allows: (origin, tenantId) =>
      tenantId === undefined ? uses.has(origin) : tenants.get(tenantId)?.has(origin) === true,
  }
}

async function find(tx: ControlTransaction, tenantId: string): Promise<TenantOrigins> {
  const rows = await tx.query<TenantOrigins>(
    'SELECT origins, version FROM kernel.tenant_cors WHERE tenant_id = $1',
    [tenantId],
  )
  return rows[0] ?? none
}

export const originsOf = (runControl: RunControl, tenantId: string): Promise<TenantOrigins> =>
  runControl((tx) => find(tx, tenantId))

/** An origin is what a browser sends: scheme, host and port, in small letters. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || url.origin !== text) return false
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)
}

/** @throws VALIDATION_FAILED, VERSION_CONFLICT */
export async function changeOrigins(
  runControl: RunControl,
  by: Located,
  origins: readonly string[],
  versions?: readonly number[],
): Promise<TenantOrigins> {
  const wrong = origins.flatMap((origin, at) =>
    isOrigin(origin)
      ? []
      : [{ field: `origins.${at}`, code: 'INVALID', message: 'must be as https://app.example.com, no path' }],
  )
  if (wrong.length > 0) throw errors.validation({ errors: wrong })
  const tenantId = by.tenant.id
  return runControl(async (tx) => {
    await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [tenantId])
    const before = await find(tx, tenantId)
    if (versions && !versions.includes(before.version))
      throw errors.versionConflict({ entity: 'cors', id: tenantId, version: before.version })
    const after = { origins: [...new Set(origins)].sort(), version: before.version + 1 }
    await tx.query(
      `INSERT INTO kernel.tenant_cors (tenant_id, origins, version, changed_by) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id) DO UPDATE SET origins = excluded.origins, version = excluded.version,
         changed_by = excluded.changed_by, changed_at = now()`,
      [tenantId, after.origins, after.version, by.actor.id],
    )
    await tx.audit({
      tenantId,
      actorId: by.actor.id,
      requestId: by.requestId,
      entity: 'cors',
      recordId: tenantId,
      action: 'changed',
      before: { origins: before.origins },
      after: { origins: after.origins },
    })
    await tx.announce({ kind: 'origins', id: tenantId })
    return after
  })
}
