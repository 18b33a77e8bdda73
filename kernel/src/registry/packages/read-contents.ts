// From the files of an archive to the parts of a plugin: package.json, the bundle, the manifest, the migrations. Nothing else
// in the archive is looked at, and no script in it has any meaning here.

import { allStand, type DefencesOff } from '../../defences.ts'
import { largestSourceMap } from '../../sandbox/source-positions.ts'
import { isPlainPath } from './archive-path.ts'
import type { PackageLimits } from './package-limits.ts'
import { decodeText, isRecord, parseJson } from './parse-json.ts'
import { type Refuse, shown } from './refusal.ts'

export interface PluginContents {
  readonly bundle: string
  /** As it was shipped. */
  readonly manifest: string
  /** In the order of their names, which are those of the files without `.json`. */
  readonly migrations: readonly { readonly name: string; readonly text: string }[]
  /** Of the bundle; read when something fails. */
  readonly sourceMap?: string
  /** Semver range of @plinth/sdk that it was written against. */
  readonly sdkRange: string
}

type Files = ReadonlyMap<string, Buffer>

const migrationName = /^\d{4}-[a-z0-9-]{1,60}$/

export function readContents(
  files: Files,
  asked: { readonly name: string; readonly version: string },
  limits: PackageLimits,
  refuse: Refuse,
  off: DefencesOff = allStand,
): PluginContents {
  const isBounded = !off.has('archiveSize')

  function read(path: string, limit: number): string {
    const bytes = files.get(path)
    if (!bytes) throw refuse('contents', `It has no file '${shown(path)}'.`)
    if (isBounded && bytes.length > limit)
      throw refuse('too-large', `'${shown(path)}' has more than ${limit} bytes.`)
    return decodeText(bytes, `'${shown(path)}'`, refuse)
  }

  const json = parseJson(read('package.json', limits.packageJson), 'package.json', refuse)
  if (!isRecord(json)) throw refuse('contents', 'package.json is no object.')
  if (json['name'] !== asked.name || json['version'] !== asked.version)
    throw refuse(
      'contents',
      `Its package.json says that it is ${shown(json['name'])}@${shown(json['version'])}.`,
    )
  const plinth = json['plinth']
  if (!isRecord(plinth)) throw refuse('contents', 'It is no plugin: package.json has no "plinth".')

  function named(entry: string): string {
    const path = isRecord(plinth) ? plinth[entry] : undefined
    if (typeof path !== 'string')
      throw refuse('contents', `package.json names no "${entry}" in "plinth"; pack it with \`plinth pack\`.`)
    const plain = path.replace(/^\.\//, '')
    if (!isPlainPath(plain))
      throw refuse('contents', `package.json names '${shown(path)}', which is no path in the package.`)
    return plain
  }

  const peers = json['peerDependencies']
  const sdkRange = isRecord(peers) ? peers['@plinth/sdk'] : undefined
  if (typeof sdkRange !== 'string' || sdkRange.length > 100)
    throw refuse('sdk', 'It does not name @plinth/sdk among its peerDependencies.')
  const manifest = read(named('manifest'), limits.manifest)
  parseJson(manifest, 'its manifest', refuse)
  const bundle = named('bundle')
  const sourceMap = files.get(`${bundle}.map`)?.toString()
  return {
    bundle: read(bundle, limits.bundle),
    // Not shipped, or too large to be one: stacks name the bundle's lines then.
    ...(sourceMap === undefined || sourceMap.length > largestSourceMap ? {} : { sourceMap }),
    manifest,
    migrations: readMigrations(files, limits, isBounded, refuse),
    sdkRange,
  }
}

function readMigrations(files: Files, limits: PackageLimits, isBounded: boolean, refuse: Refuse) {
  const found = [...files].filter(([path]) => /^migrations\/.*\.json$/.test(path))
  const size = found.reduce((sum, [, bytes]) => sum + bytes.length, 0)
  if (isBounded && (found.length > limits.migrationFiles || size > limits.migrations))
    throw refuse(
      'too-large',
      `Its migrations are ${found.length} files with ${size} bytes; ${limits.migrationFiles} and ${limits.migrations} are the most.`,
    )
  return found
    .map(([path, bytes]) => {
      const name = path.slice('migrations/'.length, -'.json'.length)
      if (!migrationName.test(name))
        throw refuse('migrations', `'${shown(path)}' must be named like 0001-first.json.`)
      const text = decodeText(bytes, `'${path}'`, refuse)
      parseJson(text, `'${path}'`, refuse)
      return { name, text }
    })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
}
