// The text of a backfill as it may run. Vetted against the tables as they are when its turn comes; before anything
// runs, so that a text that is not allowed stops nothing half-way.
import { pluginSchema } from '../sql-names.ts'
import { reportScope } from '../vet-sql/report-scope.ts'
import { writableTables } from '../vet-sql/write-scope.ts'
import { vetBackfill } from '../vet-sql.ts'
import { foldMigrations, foldOperation, originOf } from './fold-operations.ts'
import type { PluginMigration } from './operations.ts'
import type { StorageShape } from './storage-shape.ts'

/** @throws SQL_REFUSED */
export function vettedBackfill(plugin: string, entity: string, sql: string, shape: StorageShape): string {
  const { tables } = reportScope(plugin, shape, 0)
  const scope = { tables, schema: pluginSchema(plugin), writable: writableTables(shape) }
  const vetted = vetBackfill(sql, scope)
  if (vetted.entity !== entity)
    throw new Error(
      `The backfill of '${entity}' changes '${vetted.entity}': name the entity that it changes.`,
    )
  return vetted.text
}

/** Those of the migrations that have yet to run. */
export function vetBackfills(
  plugin: string,
  migrations: readonly PluginMigration[],
  isPending: (name: string) => boolean,
): void {
  for (const [index, migration] of migrations.entries()) {
    if (!isPending(migration.name)) continue
    let shape = foldMigrations(migrations.slice(0, index))
    for (const operation of migration.operations) {
      if (operation.op === 'backfill') {
        try {
          vettedBackfill(plugin, operation.entity, operation.sql, shape)
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error)
          throw new Error(`In '${migration.name}': ${reason}`, { cause: error })
        }
      }
      shape = foldOperation(shape, operation, originOf(migration))
    }
  }
}
