// What an operator sees of the plugins, and what he sets in one change: which version a tenant gets, and how a plugin's
// hosts are walled in.
import type pg from 'pg'
import { aboveTenants, auditedBy, writeAudit } from '../audit/write-audit.ts'
import { rowsOf } from '../entitlements/known-versions.ts'
import { unmetInTenant } from '../entitlements/needs-in-tenants.ts'
import { errors } from '../errors.ts'
import { type PluginRow, readPlugins, readVersions, type VersionRow } from '../registry/plugin-store.ts'
import type { AskedBy } from './lifecycle.ts'
import { change, installed, type LifecycleParts } from './lifecycle-parts.ts'
import { rollbackRefusal } from './serve-steps.ts'

export interface VersionView extends Omit<VersionRow, 'module' | 'installedAt'> {
  readonly installedAt: string
  /** Loaded in the kernel process that answers. */
  readonly isLoaded: boolean
}

export interface PluginView extends Omit<PluginRow, 'pinned'> {
  readonly title: string
  readonly tenants: number
  readonly pins: readonly string[]
  readonly versions: readonly VersionView[]
}

export interface PluginAdministration {
  list(): Promise<PluginView[]>
  get(module: string): Promise<PluginView>
  isolate(
    module: string,
    isolation: { readonly hostPerTenant: boolean; readonly jitless: boolean },
    by: AskedBy,
  ): Promise<PluginView>
  /** @throws TENANT_NOT_FOUND, MODULE_NOT_ENABLED, VERSION_NOT_FOUND, OPERATION_UNDER_WAY, PLUGIN_CHANGE_REFUSED, MODULE_NEEDS_UNMET */
  choose(
    tenant: string,
    module: string,
    choice: { readonly channel?: 'stable' | 'beta'; readonly version?: string | null },
    by: AskedBy,
  ): Promise<{ tenant: string; module: string; channel: string; version: string | null }>
}

export function createPluginAdministration(
  parts: Pick<LifecycleParts, 'pool' | 'feed' | 'registry'>,
): PluginAdministration {
  const { pool, registry } = parts

  function viewOf(row: PluginRow, versions: readonly VersionRow[], tenants: number): PluginView {
    const { pinned, ...rest } = row
    const served = registry.served(row.module)
    return {
      ...rest,
      title: served?.stable?.manifest.title ?? row.module,
      tenants,
      pins: pinned,
      versions: versions
        .filter((version) => version.module === row.module)
        .map(({ module, installedAt, ...version }) => ({
          ...version,
          installedAt: installedAt.toISOString(),
          isLoaded: served?.versions.has(version.version) ?? false,
        })),
    }
  }

  async function views(only?: string): Promise<PluginView[]> {
    const [rows, versions, counts] = await Promise.all([
      readPlugins(pool),
      readVersions(pool, only),
      pool.query<{ module: string; count: number }>(
        'SELECT module, count(*)::int FROM kernel.tenant_module GROUP BY module',
      ),
    ])
    const count = new Map(counts.rows.map((row) => [row.module, row.count]))
    return rows
      .filter((row) => only === undefined || row.module === only)
      .map((row) => viewOf(row, versions, count.get(row.module) ?? 0))
  }

  async function get(module: string): Promise<PluginView> {
    const [view] = await views(module)
    if (!view) throw errors.pluginNotFound({ module })
    return view
  }

  return {
    list: () => views(),
    get,
    async isolate(module, { hostPerTenant, jitless }, by) {
      await installed(parts, module)
      await change(parts, module, async (client) => {
        await client.query('UPDATE kernel.plugin SET host_per_tenant = $2, jitless = $3 WHERE module = $1', [
          module,
          hostPerTenant,
          jitless,
        ])
        await writeAudit(client, {
          ...auditedBy(by),
          tenantId: aboveTenants,
          entity: 'plugin',
          recordId: module,
          action: 'isolated',
          after: { hostPerTenant, jitless },
        })
      })
      return get(module)
    },
    async choose(tenant, module, choice, by) {
      await installed(parts, module)
      const found = await pool.query<{ id: string; slug: string }>(
        'SELECT id, slug FROM kernel.tenant WHERE slug = $1 OR id::text = $1',
        [tenant.toLowerCase()],
      )
      const [owner] = found.rows
      if (!owner) throw errors.tenantNotFound({ tenant })
      const { version } = choice
      if (version !== undefined && version !== null) {
        const versions = await readVersions(pool, module)
        if (!versions.some((one) => one.version === version))
          throw errors.versionNotFound({ module, version })
      }
      const after = await change(parts, module, async (client) => {
        await refuseUnderWay(client, module)
        if (version !== undefined && version !== null) await refusePin(module, version)
        const { rows } = await client.query<{ channel: string; version: string | null }>(
          `UPDATE kernel.tenant_module SET channel = coalesce($3, channel),
                  pinned = CASE WHEN $4 THEN $5 ELSE pinned END
            WHERE tenant_id = $1 AND module = $2 RETURNING channel, pinned AS version`,
          [owner.id, module, choice.channel ?? null, version !== undefined, version ?? null],
        )
        const [set] = rows
        if (!set) throw errors.moduleNotEnabled({ module })
        const needs = await unmetInTenant(rowsOf(client), owner, module)
        if (needs.length > 0) throw errors.moduleNeeds({ module, needs })
        await writeAudit(client, {
          ...auditedBy(by),
          tenantId: owner.id,
          entity: 'module',
          recordId: module,
          action: 'changed',
          after: set,
        })
        await parts.feed.announce(client, { kind: 'tenant', id: owner.id })
        return set
      })
      return { tenant: owner.slug, module, ...after }
    },
  }

  /** What an operation under way looked at stays so: it locks the row as well before it holds requests. */
  async function refuseUnderWay(client: Pick<pg.ClientBase, 'query'>, module: string): Promise<void> {
    await client.query('SELECT FROM kernel.plugin WHERE module = $1 FOR UPDATE', [module])
    const { rowCount } = await client.query(
      `SELECT FROM kernel.plugin_operation WHERE module = $1 AND state IN ('running', 'undoing')`,
      [module],
    )
    if (rowCount !== 0) throw errors.operationUnderWay({ subject: module })
  }

  /** An older version may not be able to work on the tables as they are. */
  async function refusePin(module: string, version: string): Promise<void> {
    const reason = await rollbackRefusal(parts, module, version)
    if (reason !== undefined) throw errors.pluginChange({ module, reason })
  }
}
