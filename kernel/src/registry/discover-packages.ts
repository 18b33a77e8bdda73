// Which plugins are installed: the packages among the installation's dependencies whose package.json says "plinth".
import { readFile, realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'

export interface PluginPackage {
  /** npm name, such as `@plinth/finance`. */
  readonly name: string
  readonly version: string
  readonly folder: string
  /** Semver range of @plinth/sdk that it was written against. */
  readonly sdkRange: string
  /** Packed: the files that `plinth pack` wrote. */
  readonly bundle?: string
  readonly manifest?: string
  /** Source entry; a package inside the workspace is packed from it on the fly. */
  readonly source?: string
  readonly isWorkspace: boolean
}

export interface Refusal {
  readonly package: string
  /** A sentence that names the package and the reason. */
  readonly reason: string
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

async function readJson(file: string): Promise<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (!isObject(parsed)) throw new Error(`${file} is not an object`)
  return parsed
}

/** Looks in node_modules of `root` and of the folders above it, as Node does. */
async function findFolder(
  root: string,
  name: string,
): Promise<{ folder: string; linked: boolean } | undefined> {
  for (let at = root; ; at = dirname(at)) {
    const path = join(at, 'node_modules', ...name.split('/'))
    const folder = await realpath(path).catch(() => undefined)
    if (folder) return { folder, linked: !folder.includes(`${sep}node_modules${sep}`) }
    if (dirname(at) === at) return undefined
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** A path inside the package; a package that points out of its own folder is refused. */
function inside(folder: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  const full = join(folder, path)
  if (!full.startsWith(folder + sep)) throw new Error(`names '${path}', which is outside its own folder`)
  return full
}

async function readPackage(root: string, name: string): Promise<PluginPackage | undefined> {
  const found = await findFolder(root, name)
  if (!found) return undefined
  const json = await readJson(join(found.folder, 'package.json'))
  const plinth = json['plinth']
  if (plinth === undefined) return undefined
  if (!isObject(plinth)) throw new Error('has a "plinth" entry that is not an object')
  const peers = isObject(json['peerDependencies']) ? json['peerDependencies'] : {}
  const sdkRange = text(peers['@plinth/sdk'])
  if (sdkRange === undefined) throw new Error('does not name @plinth/sdk among its peerDependencies')
  const version = text(json['version'])
  if (version === undefined) throw new Error('has no version')
  const bundle = inside(found.folder, text(plinth['bundle']))
  const manifest = inside(found.folder, text(plinth['manifest']))
  const source = inside(found.folder, text(plinth['plugin']))
  return {
    name,
    version,
    folder: found.folder,
    sdkRange,
    isWorkspace: found.linked,
    ...(bundle === undefined ? {} : { bundle }),
    ...(manifest === undefined ? {} : { manifest }),
    ...(source === undefined ? {} : { source }),
  }
}

/** Never throws for a bad package: it comes back among the refusals, and the others are found. */
export async function discoverPackages(
  root: string,
): Promise<{ readonly packages: readonly PluginPackage[]; readonly refusals: readonly Refusal[] }> {
  const installation = await readJson(join(root, 'package.json')).catch((error: unknown) => {
    throw new Error(`PLINTH_PLUGINS_ROOT: ${root} has no readable package.json (${String(error)})`)
  })
  const dependencies = isObject(installation['dependencies']) ? Object.keys(installation['dependencies']) : []
  const packages: PluginPackage[] = []
  const refusals: Refusal[] = []
  for (const name of dependencies.sort()) {
    try {
      const found = await readPackage(root, name)
      if (found) packages.push(found)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      refusals.push({ package: name, reason: `The package '${name}' ${reason}.` })
    }
  }
  return { packages, refusals }
}
