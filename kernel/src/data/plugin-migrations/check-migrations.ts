// Whether a plugin's migrations and its manifest agree. Asks no database.
import type { Manifest } from '@plinth/sdk'
import { diffMigrations } from './diff-migrations.ts'
import { foldMigrations } from './fold-operations.ts'
import { describeOperation, type PluginMigration } from './operations.ts'

/** The migrations, from the first to the last, must give what the manifest declares. */
export function checkMigrations(manifest: Manifest, migrations: readonly PluginMigration[]): void {
  const names = migrations.map((migration) => migration.name)
  const outOfOrder = names.find((name, index) => index > 0 && name <= (names[index - 1] ?? ''))
  if (outOfOrder !== undefined) {
    throw migrationRefusal(manifest.name, [`Its migration '${outOfOrder}' is out of order.`])
  }
  const { operations, refusals } = diffMigrations(folded(manifest.name, migrations), manifest)
  if (operations.length === 0 && refusals.length === 0) return
  const missing = operations.map((operation) => `Its migrations lack ${describeOperation(operation)}.`)
  throw migrationRefusal(manifest.name, [...refusals, ...missing])
}

function folded(plugin: string, migrations: readonly PluginMigration[]) {
  try {
    return foldMigrations(migrations)
  } catch (error) {
    throw migrationRefusal(plugin, [error instanceof Error ? error.message : String(error)], error)
  }
}

export const migrationRefusal = (plugin: string, sentences: readonly string[], cause?: unknown): Error =>
  new Error(
    `The tables of plugin '${plugin}' cannot be made. ${sentences.join(' ')}`,
    cause === undefined ? undefined : { cause },
  )
