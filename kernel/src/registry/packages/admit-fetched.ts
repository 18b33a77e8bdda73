// From the texts of a package to a plugin that may be installed: its code is asked in sandbox hosts what it is, twice, and has
// to say what was shipped. What it gives is parsed; the hosts are gone when it is done.
import { isDeepStrictEqual } from 'node:util'
import type { Manifest } from '@plinth/sdk'
import semver from 'semver'
import { diffMigrations } from '../../data/plugin-migrations/diff-migrations.ts'
import { foldMigrations } from '../../data/plugin-migrations/fold-operations.ts'
import type { PluginMigration } from '../../data/plugin-migrations/operations.ts'
import { parseMigration } from '../../data/plugin-migrations/parse-migration.ts'
import { allStand, type DefencesOff } from '../../defences.ts'
import type { PluginHost } from '../../sandbox/plugin-host.ts'
import { describePlugin } from '../describe-plugin.ts'
import { sdkVersion } from '../load-plugin.ts'
import type { FetchedPlugin } from './fetch-plugin-package.ts'
import { checkNames, type NamesToCheck } from './package-names.ts'
import { parseJson } from './parse-json.ts'
import { type Refuse, refusalsOf, shown } from './refusal.ts'

export interface AdmissionParts {
  readonly startHost: (name: string, bundle: string) => Promise<Pick<PluginHost, 'describe' | 'close'>>
  readonly owners: NamesToCheck['owners']
  readonly reserved?: readonly string[]
  /** As it was given to fetch the package. */
  readonly allow?: readonly string[]
}

export interface AdmittedPlugin {
  readonly manifest: Manifest
  readonly migrations: readonly PluginMigration[]
}

/** @throws PACKAGE_REFUSED */
export async function admitFetched(
  fetched: FetchedPlugin,
  parts: AdmissionParts,
  off: DefencesOff = allStand,
): Promise<AdmittedPlugin> {
  const refuse = refusalsOf(fetched.package, fetched.version)
  refuseOtherSdk(fetched.sdkRange, refuse)
  const shipped = parseJson(fetched.manifest, 'its manifest', refuse)
  const manifest = await derive(fetched, parts, refuse)
  if (!off.has('manifestCompare')) {
    if (!isDeepStrictEqual(shipped, plain(manifest)))
      throw refuse(
        'manifest',
        'It ships a manifest that differs from what its code says; pack it again with `plinth pack`.',
      )
    // The text: what differs in its order alone differs.
    if (JSON.stringify(await derive(fetched, parts, refuse)) !== JSON.stringify(manifest))
      throw refuse(
        'manifest',
        'Its code says another thing each time it is asked. A manifest may not depend on time or chance.',
      )
  }
  const squat = checkNames({ ...parts, module: manifest.name, package: fetched.package })
  if (squat !== undefined) throw refuse('name', squat)
  return { manifest, migrations: readMigrations(fetched, manifest, refuse) }
}

const plain = (manifest: Manifest): unknown => JSON.parse(JSON.stringify(manifest))

function refuseOtherSdk(range: string, refuse: Refuse): void {
  if (semver.validRange(range) === null)
    throw refuse('sdk', `It names a range of @plinth/sdk that is none: '${shown(range)}'.`)
  if (!semver.satisfies(sdkVersion, range))
    throw refuse('sdk', `It needs @plinth/sdk ${shown(range)}, and this kernel carries ${sdkVersion}.`)
}

/** Each time in a host of its own, so that the second answer knows nothing of the first. */
async function derive(fetched: FetchedPlugin, parts: AdmissionParts, refuse: Refuse): Promise<Manifest> {
  try {
    const host = await parts.startHost(fetched.package, fetched.bundle)
    try {
      return await describePlugin(host)
    } finally {
      await host.close()
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    throw refuse('manifest', `Asked in a sandbox, it ${shown(text, 1_000)}`, error)
  }
}

function readMigrations(fetched: FetchedPlugin, manifest: Manifest, refuse: Refuse): PluginMigration[] {
  const texts = fetched.migrations.map(({ name, text }) => ({
    name,
    value: parseJson(text, `migrations/${name}.json`, refuse),
  }))
  try {
    const migrations = texts.map(({ name, value }) => parseMigration(name, value))
    const shape = foldMigrations(migrations)
    const { operations, refusals } = diffMigrations(shape, manifest)
    if (operations.length > 0 || refusals.length > 0)
      throw new Error(
        ['Its migrations do not make what its entities are; run `plinth migrate`.', ...refusals].join(' '),
      )
    return migrations
  } catch (error) {
    throw refuse('migrations', shown(error instanceof Error ? error.message : String(error), 1_000), error)
  }
}
