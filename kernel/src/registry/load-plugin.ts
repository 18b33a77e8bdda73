// From a plugin's code to a plugin that can serve: started in its sandbox, asked for its manifest, compared with
// what was shipped. Whatever is wrong is a sentence that names the package.
import { isDeepStrictEqual } from 'node:util'
import type { Manifest } from '@plinth/sdk'
import type { Logger } from 'pino'
import semver from 'semver'
import type { EntityStore } from '../data/entity-store.ts'
import type { PluginMigration } from '../data/plugin-migrations/operations.ts'
import type { SqlVetter } from '../data/vet-sql.ts'
import type { PluginHost } from '../sandbox/plugin-host.ts'
import type { ReadSourceMap } from '../sandbox/source-positions.ts'
import { describePlugin } from './describe-plugin.ts'
import type { PluginCode } from './plugin-code.ts'

/** Version of @plinth/sdk that this kernel carries; packages state a range that must include it. */
export const sdkVersion = '0.1.0'

/** How much further the operator walls in a plugin's hosts. */
export interface Isolation {
  readonly hostPerTenant: boolean
  readonly jitless: boolean
}

export const usualIsolation: Isolation = Object.freeze({ hostPerTenant: false, jitless: false })

export interface LoadedPlugin {
  readonly package: string
  readonly version: string
  readonly manifest: Manifest
  /** What it was loaded from. */
  readonly code: PluginCode
  readonly host: PluginHost
  readonly isolation: Isolation
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
  readonly startHost: (
    module: string,
    bundle: string,
    sourceMap?: ReadSourceMap,
    isolation?: Isolation,
  ) => Promise<PluginHost>
  readonly migrate: (manifest: Manifest, migrations: readonly PluginMigration[]) => Promise<void>
  readonly storesFor: (manifest: Manifest) => LoadedPlugin['stores']
  readonly roleFor: (module: string) => string
  readonly vetterFor: (manifest: Manifest) => SqlVetter
}

/** @throws when the manifest that was shipped is not the code's */
function checkShippedManifest({ shippedManifest }: PluginCode, manifest: Manifest): void {
  if (shippedManifest === undefined) return
  if (!isDeepStrictEqual(shippedManifest, JSON.parse(JSON.stringify(manifest)))) {
    throw new Error('ships a manifest that differs from what its code says; pack it again with `plinth pack`')
  }
}

/** @throws Error with half a sentence that follows "The package '<name>' ". */
export async function loadPlugin(
  code: PluginCode,
  parts: LoadParts,
  isolation: Isolation = usualIsolation,
): Promise<LoadedPlugin> {
  if (semver.validRange(code.sdkRange) === null)
    throw new Error(`names an SDK range that is none: '${code.sdkRange}'`)
  if (!semver.satisfies(sdkVersion, code.sdkRange)) {
    throw new Error(`needs @plinth/sdk ${code.sdkRange}, and this kernel carries ${sdkVersion}`)
  }
  const host = await parts.startHost(code.package, code.bundle, code.sourceMap, isolation)
  try {
    const manifest = await describePlugin(host)
    checkShippedManifest(code, manifest)
    return {
      package: code.package,
      version: code.version,
      manifest,
      code,
      host,
      isolation,
      stores: parts.storesFor(manifest),
      role: parts.roleFor(manifest.name),
      vetSql: parts.vetterFor(manifest),
      migrate: () => parts.migrate(manifest, code.migrations),
    }
  } catch (error) {
    await host.close()
    throw error
  }
}
