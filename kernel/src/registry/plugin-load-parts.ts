// What loading a plugin needs of the rest of the kernel: its sandbox, its tables, its role.
import type { Manifest } from '@plinth/sdk'
import pg from 'pg'
import type { Logger } from 'pino'
import { sqlScope } from '../broker/sql-scope.ts'
import type { DatabaseAccess } from '../data/bootstrap.ts'
import { entityStores } from '../data/entity-store.ts'
import { applyPluginMigrations } from '../data/plugin-migrations/apply-plugin-migrations.ts'
import type { PluginMigration } from '../data/plugin-migrations/operations.ts'
import { type MigrationPlan, planPluginMigrations } from '../data/plugin-migrations/plan-plugin-migrations.ts'
import { type RemovalReceipt, removePluginSchema } from '../data/plugin-migrations/remove-plugin-schema.ts'
import { pluginRole } from '../data/sql-names.ts'
import { createSqlVetter } from '../data/vet-sql.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import type { PluginHost } from '../sandbox/plugin-host.ts'
import type { HostOptions } from '../sandbox/supervisor.ts'
import type { LoadParts } from './load-plugin.ts'

async function withOwner<T>(access: DatabaseAccess, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client(access.owner)
  // A connection that breaks between two statements fails the next one, and not the process.
  owner.on('error', () => undefined)
  await owner.connect()
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}

/** A plugin's tables, worked on with the owner's rights. */
export interface PluginTables {
  migrate(manifest: Manifest, migrations: readonly PluginMigration[]): Promise<void>
  plan(manifest: Manifest, migrations: readonly PluginMigration[]): Promise<MigrationPlan>
  /** The receipt is noted in the operation, in one transaction with what it says. */
  remove(module: string, operation?: { readonly id: string }): Promise<RemovalReceipt>
}

export function pluginTables(access: DatabaseAccess, off: DefencesOff = allStand): PluginTables {
  const { rolePrefix, data } = access
  return {
    migrate: (manifest, migrations) =>
      withOwner(access, async (owner) => {
        await applyPluginMigrations(owner, rolePrefix, manifest, migrations, { data }, off)
      }),
    plan: (manifest, migrations) =>
      withOwner(access, (owner) => planPluginMigrations(owner, rolePrefix, manifest, migrations)),
    remove: (module, operation) =>
      withOwner(access, (owner) =>
        removePluginSchema(owner, rolePrefix, module, {}, async (receipt) => {
          // A second run finds nothing; the first one's receipt stays.
          await owner.query('UPDATE kernel.plugin_operation SET data = $2::jsonb || data WHERE id = $1', [
            operation?.id,
            JSON.stringify({ receipt }),
          ])
        }),
      ),
  }
}

export function pluginLoadParts(
  access: DatabaseAccess,
  startHost: (options: HostOptions) => Promise<PluginHost>,
  log: Logger,
  off: DefencesOff = allStand,
): LoadParts {
  return {
    log,
    startHost: (name, bundle, sourceMap, isolation) =>
      startHost({
        name,
        bundle,
        log: log.child({ package: name }),
        ...isolation,
        ...(sourceMap ? { sourceMap } : {}),
      }),
    migrate: pluginTables(access, off).migrate,
    storesFor: (manifest) => entityStores(manifest, access.rolePrefix, off),
    vetterFor: (manifest) => createSqlVetter(sqlScope(manifest, off), undefined, off),
    roleFor: (module) => pluginRole(access.rolePrefix, module),
  }
}
