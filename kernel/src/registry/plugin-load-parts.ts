// What loading a plugin needs of the rest of the kernel: its sandbox, its tables, its role.
import pg from 'pg'
import type { Logger } from 'pino'
import { mostRows } from '../broker/sql.ts'
import type { DatabaseAccess } from '../data/bootstrap.ts'
import { entityStores } from '../data/entity-store.ts'
import { applyPluginMigrations } from '../data/plugin-migrations/apply-plugin-migrations.ts'
import { pluginRole } from '../data/sql-names.ts'
import { reportScope } from '../data/vet-sql/report-scope.ts'
import { createSqlVetter } from '../data/vet-sql.ts'
import type { StartHost } from '../sandbox/supervisor.ts'
import type { LoadParts } from './load-plugin.ts'

async function withOwner<T>(access: DatabaseAccess, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client(access.owner)
  await owner.connect()
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}

export function pluginLoadParts(access: DatabaseAccess, startHost: StartHost, log: Logger): LoadParts {
  return {
    log,
    startHost: (name, bundle, sourceMap) =>
      startHost({ name, bundle, sourceMap, log: log.child({ package: name }) }),
    migrate: (manifest, migrations) =>
      withOwner(access, async (owner) => {
        await applyPluginMigrations(owner, access.rolePrefix, manifest, migrations)
      }),
    storesFor: (manifest) => entityStores(manifest, access.rolePrefix),
    vetterFor: ({ name, entities }) => createSqlVetter(reportScope(name, entities, mostRows)),
    roleFor: (module) => pluginRole(access.rolePrefix, module),
  }
}
