// kernel.plugin and kernel.plugin_version: what is installed, as every kernel process reads it. Changing which version
// serves is the lifecycle's business; here a version is written down whole and read back.
import type pg from 'pg'
import type { PluginMigration } from '../data/plugin-migrations/operations.ts'
import { parseMigration } from '../data/plugin-migrations/parse-migration.ts'
import type { PluginCode } from './plugin-code.ts'

export type PluginState = 'installing' | 'active' | 'held' | 'disabled' | 'removing'

export interface PluginRow {
  readonly module: string
  readonly package: string
  readonly state: PluginState
  readonly stable: string | null
  readonly beta: string | null
  readonly candidate: string | null
  readonly canaryPercent: number | null
  readonly canaryTenants: readonly string[] | null
  readonly previous: string | null
  readonly hostPerTenant: boolean
  readonly jitless: boolean
  /** Versions that tenants are pinned to. */
  readonly pinned: readonly string[]
}

export interface VersionRow {
  readonly module: string
  readonly version: string
  readonly source: 'folder' | 'registry'
  readonly integrity: string | null
  readonly signatures: string
  readonly provenance: string
  readonly installedBy: string
  readonly installedAt: Date
}

type Queryable = Pick<pg.Pool, 'query'>

const selectPlugins = `
  SELECT p.module, p.package, p.state, p.stable, p.beta, p.candidate, p.previous, p.jitless,
         p.canary_percent AS "canaryPercent", p.canary_tenants AS "canaryTenants", p.host_per_tenant AS "hostPerTenant",
         coalesce((SELECT array_agg(DISTINCT m.pinned) FROM kernel.tenant_module m
                    WHERE m.module = p.module AND m.pinned IS NOT NULL), '{}') AS pinned
    FROM kernel.plugin p`

export async function readPlugins(database: Queryable): Promise<PluginRow[]> {
  const { rows } = await database.query<PluginRow>(`${selectPlugins} ORDER BY p.module`)
  return rows
}

export async function readPlugin(database: Queryable, module: string): Promise<PluginRow | undefined> {
  const { rows } = await database.query<PluginRow>(`${selectPlugins} WHERE p.module = $1`, [module])
  return rows[0]
}

export async function readVersions(database: Queryable, module?: string): Promise<VersionRow[]> {
  const { rows } = await database.query<VersionRow>(
    `SELECT module, version, source, integrity, signatures, provenance,
            installed_by AS "installedBy", installed_at AS "installedAt"
       FROM kernel.plugin_version WHERE $1::text IS NULL OR module = $1 ORDER BY module, installed_at, version`,
    [module ?? null],
  )
  return rows
}

interface CodeRow {
  package: string
  source: 'folder' | 'registry'
  sdk_range: string
  bundle: string
  manifest: unknown
  migrations: readonly { name: string; operations: unknown; release?: unknown }[]
}

/** The code of one version. @throws Error, half a sentence, when it is not there */
export async function readCode(database: Queryable, module: string, version: string): Promise<PluginCode> {
  const { rows } = await database.query<CodeRow>(
    `SELECT p.package, v.source, v.sdk_range, v.bundle, v.manifest, v.migrations
       FROM kernel.plugin_version v JOIN kernel.plugin p USING (module) WHERE v.module = $1 AND v.version = $2`,
    [module, version],
  )
  const [row] = rows
  if (!row) throw new Error(`has no version ${version} in this installation`)
  return {
    package: row.package,
    version,
    sdkRange: row.sdk_range,
    bundle: row.bundle,
    shippedManifest: row.manifest,
    migrations: migrationsFrom(row.migrations),
    source: row.source,
    sourceMap: () => readSourceMap(database, module, version),
  }
}

async function readSourceMap(
  database: Queryable,
  module: string,
  version: string,
): Promise<string | undefined> {
  const { rows } = await database.query<{ source_map: string | null }>(
    'SELECT source_map FROM kernel.plugin_version WHERE module = $1 AND version = $2',
    [module, version],
  )
  return rows[0]?.source_map ?? undefined
}

const migrationsFrom = (stored: CodeRow['migrations']): PluginMigration[] =>
  stored.map(({ name, ...rest }) => parseMigration(name, rest))

export interface VersionFacts {
  readonly integrity?: string
  readonly signatures?: string
  readonly provenance?: string
  readonly installedBy: string
}

/** Writes a version down. One from a folder replaces what the folder held before; one from a registry never changes. */
export async function writeVersion(
  database: Queryable,
  module: string,
  code: PluginCode,
  manifest: unknown,
  facts: VersionFacts,
): Promise<void> {
  await database.query(
    `INSERT INTO kernel.plugin_version
       (module, version, source, integrity, sdk_range, bundle, manifest, migrations, source_map, signatures, provenance, installed_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (module, version) DO UPDATE SET bundle = excluded.bundle, manifest = excluded.manifest,
       migrations = excluded.migrations, source_map = excluded.source_map, sdk_range = excluded.sdk_range
       WHERE plugin_version.source = 'folder' AND excluded.source = 'folder'`,
    [
      module,
      code.version,
      code.source,
      facts.integrity ?? null,
      code.sdkRange,
      code.bundle,
      JSON.stringify(manifest),
      JSON.stringify(code.migrations),
      // Without it stacks name the bundle's lines: no reason to refuse a version.
      (await code.sourceMap?.().catch(() => undefined)) ?? null,
      facts.signatures ?? 'absent',
      facts.provenance ?? 'absent',
      facts.installedBy,
    ],
  )
}

/** The package that provides the module in this database; the first to come keeps it. */
export async function claimModule(database: Queryable, module: string, packageName: string): Promise<string> {
  await database.query(
    `INSERT INTO kernel.plugin (module, package, state) VALUES ($1, $2, 'installing') ON CONFLICT DO NOTHING`,
    [module, packageName],
  )
  const { rows } = await database.query<{ module: string; package: string }>(
    'SELECT module, package FROM kernel.plugin WHERE module = $1 OR package = $2',
    [module, packageName],
  )
  const other = rows.find((row) => row.module !== module)
  if (other) return `${packageName} (as '${other.module}')`
  return rows[0]?.package ?? packageName
}
