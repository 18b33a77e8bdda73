// For tests: a plugin that goes through releases, as its author would take it there with `plinth migrate`.
import type { EntitySpec, Manifest } from '@plinth/sdk'
import pg from 'pg'
import type { TestDatabase } from '../../../../tests/support/database.ts'
import { manifestOf } from '../../../../tests/support/manifest.ts'
import { allStand, type DefencesOff } from '../../defences.ts'
import {
  type AppliedMigrations,
  applyPluginMigrations,
  type MigrationOptions,
} from './apply-plugin-migrations.ts'
import { contractMigration } from './contract-migration.ts'
import { diffMigrations } from './diff-migrations.ts'
import { foldMigrations } from './fold-operations.ts'
import { parseWishes } from './migration-wishes.ts'
import type { Operation, PluginMigration } from './operations.ts'
import { parseMigration } from './parse-migration.ts'

export type Entities = Readonly<Record<string, EntitySpec>>
export type Flags = Parameters<typeof parseWishes>[0]

export interface EvolvingPlugin {
  readonly migrations: readonly PluginMigration[]
  readonly manifest: Manifest
  /** Writes the migration to these entities and applies it. */
  become(entities: Entities, flags?: Flags): Promise<AppliedMigrations>
  /** A later release that drops what is retired. */
  contract(): Promise<AppliedMigrations>
  /** Writes without applying. */
  write(entities: Entities, flags?: Flags): readonly Operation[]
  writeOperations(operations: readonly Operation[]): void
  apply(options?: MigrationOptions, off?: DefencesOff): Promise<AppliedMigrations>
  forgetLast(): void
}

export async function asOwner<T>(db: TestDatabase, work: (owner: pg.Client) => Promise<T>): Promise<T> {
  const owner = new pg.Client(db.access.owner)
  await owner.connect()
  try {
    return await work(owner)
  } finally {
    await owner.end()
  }
}

/** Each migration is of a release of its own. */
export function evolvingPlugin(db: TestDatabase, name: string): EvolvingPlugin {
  const migrations: PluginMigration[] = []
  let manifest = manifestOf(name, {})
  const release = () => `1.${migrations.length}.0`
  const add = (operations: readonly Operation[]) => {
    const stem = `${String(migrations.length + 1).padStart(4, '0')}-step`
    // Through JSON, as from a file.
    const file: unknown = JSON.parse(JSON.stringify({ release: release(), operations }))
    migrations.push(parseMigration(stem, file))
  }
  const plugin: EvolvingPlugin = {
    migrations,
    get manifest() {
      return manifest
    },
    write(entities, flags = {}) {
      const wanted = manifestOf(name, entities)
      const { operations, refusals } = diffMigrations(foldMigrations(migrations), wanted, parseWishes(flags))
      if (refusals.length > 0) throw new Error(refusals.join(' '))
      manifest = wanted
      add(operations)
      return operations
    },
    writeOperations: add,
    forgetLast: () => void migrations.pop(),
    apply: (options = {}, off = allStand) =>
      asOwner(db, (owner) =>
        applyPluginMigrations(
          owner,
          db.access.rolePrefix,
          manifest,
          migrations,
          { data: db.access.data, ...options },
          off,
        ),
      ),
    become(entities, flags) {
      plugin.write(entities, flags)
      return plugin.apply()
    },
    contract() {
      add(contractMigration(foldMigrations(migrations), release()).operations)
      return plugin.apply()
    },
  }
  return plugin
}

/** A record as the version that knows these columns would insert it; the tenant's own, under its policy. */
export async function insertRow(
  db: TestDatabase,
  table: string,
  tenant: string,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  const columns = Object.keys(values)
  await db.admin.query(
    `insert into ${table} (tenant_id, id, version, created_at, created_by, updated_at, updated_by${columns.map((c) => `, ${c}`).join('')})
     values ($1, gen_random_uuid(), 1, now(), 'u', now(), 'u'${columns.map((_, i) => `, $${i + 2}`).join('')})`,
    [tenant, ...Object.values(values)],
  )
}
