// What has run on this database, and whether a plugin's migrations may follow it.
import { createHash } from 'node:crypto'
import type { Json } from '@plinth/sdk'
import type pg from 'pg'
import type { PluginMigration } from './operations.ts'

export interface RecordedMigration {
  readonly name: string
  readonly checksum: string
  /** The version of the plugin that does not know it can go on working. */
  readonly compatible: boolean
}

export async function recordedMigrations(owner: pg.Client, plugin: string): Promise<RecordedMigration[]> {
  const { rows } = await owner.query<RecordedMigration>(
    'select name, checksum, compatible from kernel.plugin_migration where plugin = $1 order by name collate "C"',
    [plugin],
  )
  return rows
}

/** How many steps are done of a migration that is not complete. */
export type StepsDone = ReadonlyMap<string, { readonly done: number; readonly checksum: string }>

export async function stepsDone(owner: pg.Client, plugin: string): Promise<StepsDone> {
  const { rows } = await owner.query<{ migration: string; done: number; checksum: string }>(
    'select migration, done, checksum from kernel.plugin_migration_step where plugin = $1',
    [plugin],
  )
  return new Map(rows.map((row) => [row.migration, row]))
}

/**
 * What ran once must be the same for ever, or this database and the next one would differ. Returns a sentence when it
 * is not. A newer version may have gone ahead with migrations that this one can live with.
 */
export function conflictWith(
  recorded: readonly RecordedMigration[],
  begun: StepsDone,
  migrations: readonly PluginMigration[],
): string | undefined {
  for (const [name, { checksum }] of begun) {
    const migration = migrations.find((candidate) => candidate.name === name)
    if (migration && checksumOf(migration) !== checksum)
      return `Its migration '${name}' has begun to run and was changed since. Restore it, let it finish, and add another.`
  }
  for (const [index, row] of recorded.entries()) {
    const migration = migrations[index]
    if (!migration && row.compatible) continue
    if (migration?.name !== row.name) {
      const known = migrations.some((candidate) => candidate.name === row.name)
      return known
        ? `Its migration '${migration?.name}' was added before '${row.name}', which has already run.`
        : `The database has its migration '${row.name}', which this version of the plugin does not know. Install a newer one.`
    }
    if (checksumOf(migration) !== row.checksum) {
      return `Its migration '${row.name}' has already run and was changed since. Restore it and add another.`
    }
  }
  return undefined
}

/** Of the meaning, not of the text: a formatter may touch the file. */
export const checksumOf = (migration: PluginMigration): string =>
  createHash('sha256').update(JSON.stringify(migration.operations, sortedKeys)).digest('hex')

const sortedKeys = (_key: string, value: Json | undefined): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value
