// From a package to a plugin that can serve: packed, started in its sandbox, asked for its manifest, compared with
// what the package says. Whatever is wrong is a sentence that names the package.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Manifest } from '@plinth/sdk'
import type { Logger } from 'pino'
import semver from 'semver'
import type { EntityStore } from '../data/entity-store.ts'
import type { PluginMigration } from '../data/plugin-migrations/operations.ts'
import { parseMigration } from '../data/plugin-migrations/parse-migration.ts'
import type { SqlVetter } from '../data/vet-sql.ts'
import type { PluginHost } from '../sandbox/plugin-host.ts'
import { largestSourceMap, type ReadSourceMap } from '../sandbox/source-positions.ts'
import { describePlugin } from './describe-plugin.ts'
import type { PluginPackage } from './discover-packages.ts'
import { largestBundle, packPlugin } from './pack-plugin.ts'

/** Version of @plinth/sdk that this kernel carries; packages state a range that must include it. */
export const sdkVersion = '0.1.0'

export interface LoadedPlugin {
  readonly package: string
  readonly version: string
  readonly manifest: Manifest
  readonly host: PluginHost
  /** By entity key. */
  readonly stores: Readonly<Record<string, EntityStore>>
  /** The plugin's database role. */
  readonly role: string
  /** Decides on its SQL; refuses all of it when `needs.sql` was not asked for. */
  readonly vetSql: SqlVetter
  /** Brings its tables up to date. The plugin must not be served before. */
  readonly migrate: () => Promise<void>
}

export interface LoadParts {
  readonly log: Logger
  readonly startHost: (module: string, bundle: string, sourceMap: ReadSourceMap) => Promise<PluginHost>
  readonly migrate: (manifest: Manifest, migrations: readonly PluginMigration[]) => Promise<void>
  readonly storesFor: (manifest: Manifest) => LoadedPlugin['stores']
  readonly roleFor: (module: string) => string
  readonly vetterFor: (manifest: Manifest) => SqlVetter
}

interface Code {
  readonly bundle: string
  readonly sourceMap: ReadSourceMap
}

/** A packed plugin's source map lies beside its bundle, or nowhere. */
async function readSourceMap(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined)
  if (!found) return undefined
  if (!found.isFile() || found.size > largestSourceMap)
    throw new Error(`it is no file of at most ${largestSourceMap} bytes`)
  return readFile(file, 'utf8')
}

async function readCode(pkg: PluginPackage): Promise<Code> {
  // A bundler reads what imports name, with our rights: only for sources that are the installation's own.
  if (pkg.source !== undefined && pkg.isWorkspace) {
    const { bundle, sourceMap } = await packPlugin(pkg.source)
    return { bundle, sourceMap: async () => sourceMap }
  }
  if (pkg.bundle === undefined) throw new Error('has no bundle in "plinth"; pack it with `plinth pack`')
  const bundle = await readFile(pkg.bundle, 'utf8')
  if (bundle.length > largestBundle) throw new Error(`has a bundle of more than ${largestBundle} characters`)
  const file = `${pkg.bundle}.map`
  return { bundle, sourceMap: () => readSourceMap(file) }
}

/** The migrations in a package's folder, in the order of their names. */
export async function readMigrations(packageFolder: string): Promise<PluginMigration[]> {
  const folder = join(packageFolder, 'migrations')
  const files = await readdir(folder).catch(() => [])
  const names = files.filter((file) => /^\d{4}-[a-z0-9-]+\.json$/.test(file)).sort()
  return Promise.all(
    names.map(async (name) =>
      parseMigration(name.slice(0, -5), JSON.parse(await readFile(join(folder, name), 'utf8'))),
    ),
  )
}

/** @throws when the manifest that was shipped is not the code's */
async function checkShippedManifest(pkg: PluginPackage, manifest: Manifest): Promise<void> {
  if (pkg.manifest === undefined || pkg.isWorkspace) return
  const shipped: unknown = JSON.parse(await readFile(pkg.manifest, 'utf8'))
  if (!isDeepStrictEqual(shipped, JSON.parse(JSON.stringify(manifest)))) {
    throw new Error('ships a manifest that differs from what its code says; pack it again with `plinth pack`')
  }
}

function refuseWhatIsNotServed(manifest: Manifest): void {
  if (manifest.needs.http)
    throw new Error('asks for outside hosts (needs.http), which this kernel does not offer yet')
  if (manifest.needs.sql === 'write')
    throw new Error("asks for needs.sql 'write', which this kernel does not offer yet")
}

/** @throws Error with half a sentence that follows "The package '<name>' ". */
export async function loadPlugin(pkg: PluginPackage, parts: LoadParts): Promise<LoadedPlugin> {
  if (semver.validRange(pkg.sdkRange) === null)
    throw new Error(`names an SDK range that is none: '${pkg.sdkRange}'`)
  if (!semver.satisfies(sdkVersion, pkg.sdkRange)) {
    throw new Error(`needs @plinth/sdk ${pkg.sdkRange}, and this kernel carries ${sdkVersion}`)
  }
  const { bundle, sourceMap } = await readCode(pkg)
  const host = await parts.startHost(pkg.name, bundle, sourceMap)
  try {
    const manifest = await describePlugin(host)
    await checkShippedManifest(pkg, manifest)
    refuseWhatIsNotServed(manifest)
    const migrations = await readMigrations(pkg.folder)
    const ignored = [...manifest.on, ...Object.keys(manifest.jobs)]
    if (ignored.length > 0) {
      parts.log.warn(
        { package: pkg.name, handlers: ignored },
        'event subscribers and jobs are not run by this kernel version',
      )
    }
    return {
      package: pkg.name,
      version: pkg.version,
      manifest,
      host,
      stores: parts.storesFor(manifest),
      role: parts.roleFor(manifest.name),
      vetSql: parts.vetterFor(manifest),
      migrate: () => parts.migrate(manifest, migrations),
    }
  } catch (error) {
    await host.close()
    throw error
  }
}
