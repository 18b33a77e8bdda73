// `plinth migrate`: writes the next file of a plugin's migrations, from what its entities have become and what its
// author says about the change.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '@plinth/sdk'
import semver from 'semver'
import { compatibilityOf } from '../data/plugin-migrations/compatibility.ts'
import { contractMigration } from '../data/plugin-migrations/contract-migration.ts'
import { diffMigrations } from '../data/plugin-migrations/diff-migrations.ts'
import { foldMigrations } from '../data/plugin-migrations/fold-operations.ts'
import type { MigrationWishes } from '../data/plugin-migrations/migration-wishes.ts'
import type { Operation, PluginMigration } from '../data/plugin-migrations/operations.ts'
import { vetBackfills } from '../data/plugin-migrations/vet-backfills.ts'
import { readMigrations } from './plugin-code.ts'

export interface MigrationRequest {
  readonly folder: string
  readonly manifest: Manifest
  readonly name: string | undefined
  readonly wishes: MigrationWishes
  /** Drop what earlier releases retired. */
  readonly contract: boolean
}

/** Says what was written. Throws sentences when nothing could be. */
export async function writeMigration(request: MigrationRequest): Promise<string> {
  const { folder, manifest, wishes, contract } = request
  const migrations = await readMigrations(folder)
  const release = await releaseOf(folder)
  const shape = foldMigrations(migrations)
  const { operations, refusals } = diffMigrations(shape, manifest, wishes)
  if (refusals.length > 0) throw new Error(`No migration was written. ${refusals.join(' ')}`)
  if (!contract) return write(request, migrations, release, operations, [])
  if (operations.length > 0)
    throw new Error(
      'No migration was written. The entities have changed: run plinth migrate without --contract first.',
    )
  const contraction = contractMigration(shape, release)
  if (contraction.operations.length === 0 && contraction.waiting.length > 0)
    throw new Error(`No migration was written. ${contraction.waiting.join(' ')}`)
  return write(request, migrations, release, contraction.operations, contraction.waiting)
}

async function write(
  { folder, manifest, name, contract }: MigrationRequest,
  migrations: readonly PluginMigration[],
  release: string,
  operations: readonly Operation[],
  waiting: readonly string[],
): Promise<string> {
  if (operations.length === 0) {
    return contract
      ? `Nothing of '${manifest.name}' is retired.`
      : `The migrations of '${manifest.name}' are up to date.`
  }
  const usual = migrations.length === 0 ? 'first' : contract ? 'contract' : 'change'
  const stem = `${String(migrations.length + 1).padStart(4, '0')}-${name ?? usual}`
  const written = [...migrations, { name: stem, release, operations }]
  vetBackfills(manifest.name, written, (other) => other === stem)
  await mkdir(join(folder, 'migrations'), { recursive: true })
  // 'wx': a file that is there already may have run somewhere, and is never replaced.
  const text = `${JSON.stringify({ release, operations }, null, 2)}\n`
  await writeFile(join(folder, 'migrations', `${stem}.json`), text, { flag: 'wx' })
  const { compatibility, reasons } = compatibilityOf([{ name: stem, operations }])
  return [
    `Wrote migrations/${stem}.json: ${operations.length} operations, ${compatibility}.`,
    ...(compatibility === 'exclusive' ? ['The version before must be gone when it runs:'] : []),
    ...reasons,
    ...waiting,
  ].join('\n')
}

async function releaseOf(folder: string): Promise<string> {
  const json: { readonly version?: unknown } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  )
  const version = semver.valid(String(json.version))
  if (version === null) throw new Error(`${folder}/package.json has no version like 1.2.0.`)
  return version
}
