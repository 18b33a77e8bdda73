// Removal: nobody enters any more, then the tables go, then every row the kernel keeps about the module. What went stands
// in the operation, as a receipt. The audit trail stays: it says what happened, and nobody may take from it.
import type pg from 'pg'
import { writeAudit } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { readPlugin } from '../registry/plugin-store.ts'
import type { Step } from './drive-operations.ts'
import { change, installed, type LifecycleParts } from './lifecycle-parts.ts'
import { type Operation, remember } from './operation.ts'

const moduleOf = ({ module }: Operation): string => module ?? ''

/** Tables of the kernel with rows about a module, and the column that names it. */
const about = [
  ['kernel.tenant_module', 'module'],
  ['kernel.module_setting', 'module'],
  ['kernel.outbox', 'module'],
  ['kernel.task', 'module'],
  ['kernel.task_pause', 'module'],
  ['kernel.job_schedule', 'module'],
  ['kernel.module_absence', 'module'],
  ['kernel.limit_override', 'module'],
  ['kernel.usage', 'module'],
] as const

/** @throws PLUGIN_IN_USE, PLUGIN_CHANGE_REFUSED */
export async function refuseRemoval(
  parts: Pick<LifecycleParts, 'registry'> & { readonly pool: Pick<pg.Pool, 'query'> },
  module: string,
  force: boolean,
): Promise<void> {
  if (parts.registry.isFromFolder(module)) {
    throw errors.pluginChange({
      module,
      reason: `'${module}' is among the dependencies of the installation: it would be back at the next start. Take it out of package.json, restart, and remove it then.`,
    })
  }
  refuseWhileNeeded(parts, module)
  if (force) return
  const { rows } = await parts.pool.query<{ count: number }>(
    'SELECT count(*)::int FROM kernel.tenant_module WHERE module = $1',
    [module],
  )
  const tenants = rows[0]?.count ?? 0
  if (tenants > 0) throw errors.pluginInUse({ module, tenants })
}

/** @throws PLUGIN_CHANGE_REFUSED */
export function refuseWhileNeeded({ registry }: Pick<LifecycleParts, 'registry'>, module: string): void {
  const needing = [...registry.plugins.values()].filter((other) => {
    const use = other.manifest.uses[module]
    return use !== undefined && !use.optional
  })
  if (needing.length === 0) return
  const names = needing.map((other) => `'${other.manifest.name}'`).join(', ')
  throw errors.pluginChange({
    module,
    reason: `${names} cannot work without '${module}'. Disable or remove these first.`,
  })
}

export function closeStep(parts: LifecycleParts): Step {
  return {
    name: 'close',
    async run(operation) {
      const module = moduleOf(operation)
      await installed(parts, module)
      await change(parts, module, async (client) => {
        // A tenant that is enabling it has done so by then, or finds it closed.
        await client.query('SELECT FROM kernel.plugin WHERE module = $1 FOR UPDATE', [module])
        const row = await readPlugin(client, module)
        if (!row) throw errors.pluginNotFound({ module })
        if (row.state !== 'removing')
          await refuseRemoval(
            { pool: client, registry: parts.registry },
            module,
            operation.options.force === true,
          )
        await remember(client, operation, { stateBefore: row.state })
        await client.query(`UPDATE kernel.plugin SET state = 'removing' WHERE module = $1`, [module])
      })
      return undefined
    },
    async undo(operation) {
      await change(parts, moduleOf(operation), async (client) => {
        await client.query(`UPDATE kernel.plugin SET state = $2 WHERE module = $1 AND state = 'removing'`, [
          operation.module,
          operation.data['stateBefore'] ?? 'disabled',
        ])
      })
    },
  }
}

export function dropStep(parts: LifecycleParts): Step {
  return {
    name: 'drop',
    async run(operation) {
      await parts.tables.remove(moduleOf(operation), operation)
      return undefined
    },
    // The receipt commits with the drop. From there on there is nothing to go back to.
    tries: (operation) => (operation.data['receipt'] === undefined ? 0 : Number.POSITIVE_INFINITY),
  }
}

export function forgetStep(parts: LifecycleParts): Step {
  return {
    name: 'forget',
    tries: () => Number.POSITIVE_INFINITY,
    async run(operation) {
      const module = moduleOf(operation)
      const rows = await change(parts, module, async (client) => {
        const tenants = await client.query<{ tenant_id: string }>(
          'SELECT tenant_id FROM kernel.tenant_module WHERE module = $1',
          [module],
        )
        const gone: Record<string, number> = {}
        for (const [table, column] of about) {
          const { rowCount } = await client.query(`DELETE FROM ${table} WHERE ${column} = $1`, [module])
          gone[table] = rowCount ?? 0
        }
        const versions = await client.query('DELETE FROM kernel.plugin_version WHERE module = $1', [module])
        gone['kernel.plugin_version'] = versions.rowCount ?? 0
        await client.query('DELETE FROM kernel.plugin WHERE module = $1', [module])
        for (const { tenant_id } of tenants.rows) {
          await writeAudit(client, {
            tenantId: tenant_id,
            actorId: operation.startedBy,
            requestId: operation.requestId,
            entity: 'module',
            recordId: module,
            action: 'removed',
          })
        }
        await parts.feed.announce(client, { kind: 'all', id: '' })
        return gone
      })
      return { forgotten: rows }
    },
  }
}
