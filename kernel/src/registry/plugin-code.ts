// What a plugin consists of at one version, whether it lies in a folder of the installation or came from a registry.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PluginMigration } from '../data/plugin-migrations/operations.ts'
import { parseMigration } from '../data/plugin-migrations/parse-migration.ts'
import { largestSourceMap, type ReadSourceMap } from '../sandbox/source-positions.ts'
import type { PluginPackage } from './discover-packages.ts'
import { largestBundle, packPlugin } from './pack-plugin.ts'

export interface PluginCode {
  readonly package: string
  readonly version: string
  /** Semver range of @plinth/sdk that it was written against. */
  readonly sdkRange: string
  readonly bundle: string
  /** The manifest that the package carries; absent when it is made from sources on the spot. */
  readonly shippedManifest?: unknown
  readonly migrations: readonly PluginMigration[]
  /** Of the bundle, for the lines in an error's stack. */
  readonly sourceMap?: ReadSourceMap
  /** `folder`: among the installation's dependencies. `registry`: installed while the kernel ran. */
  readonly source: 'folder' | 'registry'
}

type Bundle = Pick<PluginCode, 'bundle' | 'sourceMap'>

/** A packed plugin's source map lies beside its bundle, or nowhere. */
async function readSourceMap(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined)
  if (!found) return undefined
  if (!found.isFile() || found.size > largestSourceMap)
    throw new Error(`it is no file of at most ${largestSourceMap} bytes`)
  return readFile(file, 'utf8')
}

async function readBundle(pkg: PluginPackage): Promise<Bundle> {
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
  const files = (await readdir(folder).catch(() => [])).filter((file) => file.endsWith('.json')).sort()
  return Promise.all(
    files.map(async (file) => {
      if (!/^\d{4}-[a-z0-9-]+\.json$/.test(file)) {
        throw new Error(`has a migration named '${file}'; the form is 0001-what-it-does.json`)
      }
      return parseMigration(file.slice(0, -5), JSON.parse(await readFile(join(folder, file), 'utf8')))
    }),
  )
}

/** @throws Error with half a sentence that follows "The package '<name>' ". */
export async function readPluginFolder(pkg: PluginPackage): Promise<PluginCode> {
  const { name, version, sdkRange } = pkg
  const [bundle, migrations] = await Promise.all([readBundle(pkg), readMigrations(pkg.folder)])
  const shipped: { shippedManifest?: unknown } =
    pkg.manifest === undefined || pkg.isWorkspace
      ? {}
      : { shippedManifest: JSON.parse(await readFile(pkg.manifest, 'utf8')) }
  return { package: name, version, sdkRange, ...bundle, ...shipped, migrations, source: 'folder' }
}
