// The steps that touch a plugin's tables. A migration that the version before cannot live with waits until nobody is
// inside that version; requests wait meanwhile, and find the new one.
import type pg from 'pg'
import { compatibilityOf } from '../data/plugin-migrations/compatibility.ts'
import type { PluginMigration } from '../data/plugin-migrations/operations.ts'
import { errors } from '../errors.ts'
import { type PluginRow, readCode, readPlugin } from '../registry/plugin-store.ts'
import type { Step } from './drive-operations.ts'
import { change, type LifecycleParts } from './lifecycle-parts.ts'
import { type Operation, remember } from './operation.ts'

/** What has run on a plugin's tables, by name. */
export async function ranMigrations(
  { pool }: Pick<LifecycleParts, 'pool'>,
  module: string,
): Promise<Set<string>> {
  const { rows } = await pool.query<{ name: string }>(
    'SELECT name FROM kernel.plugin_migration WHERE plugin = $1',
    [module],
  )
  return new Set(rows.map((row) => row.name))
}

/** What has changed a plugin's tables in part. */
export async function begunMigrations(
  { pool }: Pick<LifecycleParts, 'pool'>,
  module: string,
): Promise<Set<string>> {
  const { rows } = await pool.query<{ migration: string }>(
    `SELECT migration FROM kernel.plugin_migration_step s WHERE plugin = $1 AND done > 0
        AND NOT EXISTS (SELECT FROM kernel.plugin_migration m WHERE m.plugin = s.plugin AND m.name = s.migration)`,
    [module],
  )
  return new Set(rows.map((row) => row.migration))
}

export async function pendingMigrations(
  parts: Pick<LifecycleParts, 'pool'>,
  module: string,
  migrations: readonly PluginMigration[],
): Promise<readonly PluginMigration[]> {
  const ran = await ranMigrations(parts, module)
  return migrations.filter((migration) => !ran.has(migration.name))
}

/** Why the release cannot share the tables with the versions that others would stay on, or undefined. */
export function sharedTablesRefusal(row: PluginRow, version: string, operation: Pick<Operation, 'options'>) {
  const { canary, channel = 'stable' } = operation.options
  if (canary) return 'A canary serves two versions on the same tables'
  if (channel === 'beta') return 'The beta channel is served beside the stable one'
  if (row.beta !== null && row.beta !== version) return `Tenants on the beta channel are served ${row.beta}`
  const pinned = row.pinned.filter((one) => one !== version)
  return pinned.length > 0 ? `Tenants are pinned to ${pinned.join(', ')}` : undefined
}

const moduleOf = ({ module }: Operation): string => module ?? ''
const versionOf = ({ version }: Operation): string => version ?? ''

/** Tables were changed that requests were held for: the version before cannot work on them any more. */
export async function hasLeft(
  { pool }: Pick<LifecycleParts, 'pool'>,
  { module, data }: Operation,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT FROM kernel.plugin_migration WHERE plugin = $1 AND name = ANY($2)
     UNION ALL SELECT FROM kernel.plugin_migration_step WHERE plugin = $1 AND migration = ANY($2) AND done > 0`,
    [module, data['held'] ?? []],
  )
  return rowCount !== null && rowCount > 0
}

/** Some 20 s: what is broken for longer is not mended by trying. */
const triesWithoutWayBack = 10

export const triesAfterLeaving =
  (parts: Pick<LifecycleParts, 'pool'>) =>
  async (operation: Operation): Promise<number> =>
    (await hasLeft(parts, operation)) ? triesWithoutWayBack : 0

export function holdStep(parts: LifecycleParts): Step {
  return {
    name: 'hold',
    async run(operation) {
      const module = moduleOf(operation)
      const code = await readCode(parts.pool, module, versionOf(operation))
      const pending = await pendingMigrations(parts, module, code.migrations)
      const { compatibility, reasons } = compatibilityOf(pending)
      if (compatibility === 'compatible') return undefined
      const hold = async (client: pg.PoolClient) => {
        // Who is choosing a version for a tenant has done so by then, or finds this operation.
        await client.query('SELECT FROM kernel.plugin WHERE module = $1 FOR UPDATE', [module])
        const row = await readPlugin(client, module)
        const shared = row && sharedTablesRefusal(row, versionOf(operation), operation)
        if (shared !== undefined) {
          throw errors.pluginChange({
            module,
            reason: `${shared}, and its migrations do not allow that. ${reasons.join(' ')}`,
          })
        }
        await remember(client, operation, { held: pending.map((migration) => migration.name) })
        await client.query(`UPDATE kernel.plugin SET state = 'held' WHERE module = $1 AND state = 'active'`, [
          module,
        ])
      }
      // A process that has not heard of it lets requests into the version that the tables are taken from.
      await change(parts, module, hold, { mustSettle: true })
      return undefined
    },
    /** The version before is served again, unless its tables are no longer there for it. */
    async undo(operation) {
      const module = moduleOf(operation)
      const state = (await hasLeft(parts, operation)) ? 'disabled' : 'active'
      await change(parts, module, async (client) => {
        await client.query('UPDATE kernel.plugin SET state = $2 WHERE module = $1 AND state = $3', [
          module,
          state,
          'held',
        ])
      })
    },
  }
}

export function migrateStep(parts: LifecycleParts): Step {
  return {
    name: 'migrate',
    async run(operation) {
      const module = moduleOf(operation)
      const code = await readCode(parts.pool, module, versionOf(operation))
      const pending = await pendingMigrations(parts, module, code.migrations)
      await parts.tables.migrate(
        code.shippedManifest as Parameters<typeof parts.tables.migrate>[0],
        code.migrations,
      )
      return { migrated: pending.map((migration) => migration.name) }
    },
    tries: triesAfterLeaving(parts),
    /** Of a first installation nothing is left. What an upgrade added stays: the version before works with it. */
    async undo(operation) {
      if (operation.kind !== 'install') return
      const { rows } = await parts.pool.query(
        `SELECT FROM kernel.plugin WHERE module = $1 AND state = 'installing' AND stable IS NULL`,
        [operation.module],
      )
      if (rows.length > 0) await parts.tables.remove(moduleOf(operation))
    },
  }
}
