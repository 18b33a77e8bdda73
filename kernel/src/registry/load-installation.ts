// All plugins of the installation whose needs are met, with their tables up to date. A package that cannot be loaded is
// left out with a sentence; the kernel starts without it.
import type { Logger } from 'pino'
import semver from 'semver'
import { discoverPackages, type Refusal } from './discover-packages.ts'
import { type LoadedPlugin, type LoadParts, loadPlugin } from './load-plugin.ts'

export interface Installation {
  /** By module id. */
  readonly plugins: ReadonlyMap<string, LoadedPlugin>
  readonly refusals: readonly Refusal[]
}

/** What loading throws is half a sentence or a whole one; what comes out names the package. */
function refusalOf(name: string, error: unknown): Refusal {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
  return {
    package: name,
    reason: `The package '${name}' ${/^[A-Z]/.test(text) ? `is refused: ${text}` : text}.`,
  }
}

/** Why a module's needs are not met by the others, or undefined. */
function unmetNeed(plugin: LoadedPlugin, others: ReadonlyMap<string, LoadedPlugin>): string | undefined {
  for (const [name, use] of Object.entries(plugin.manifest.uses)) {
    const other = others.get(name)
    if (!other && !use.optional) return `needs the module '${name}', which is not installed`
    if (other && !semver.satisfies(other.version, use.range)) {
      return `needs the module '${name}' ${use.range}, and ${other.version} is installed`
    }
  }
  return undefined
}

/** Modules that need each other in a circle. */
function inCycle(plugins: ReadonlyMap<string, LoadedPlugin>): Set<string> {
  const reaches = (from: string, target: string, seen: Set<string>): boolean =>
    Object.keys(plugins.get(from)?.manifest.uses ?? {}).some((next) => {
      if (next === target) return true
      if (seen.has(next)) return false
      seen.add(next)
      return reaches(next, target, seen)
    })
  return new Set([...plugins.keys()].filter((name) => reaches(name, name, new Set())))
}

type Refuse = (name: string, error: unknown, plugin?: LoadedPlugin) => Promise<void>

/** Refusing one can leave another without what it needs, so this goes on until nothing changes. */
async function refuseUnmet(plugins: ReadonlyMap<string, LoadedPlugin>, refuse: Refuse): Promise<void> {
  for (let before = -1; before !== plugins.size; ) {
    before = plugins.size
    for (const plugin of [...plugins.values()]) {
      const unmet = unmetNeed(plugin, plugins)
      if (unmet) await refuse(plugin.package, unmet, plugin)
    }
  }
}

export async function loadInstallation(
  root: string,
  parts: LoadParts & { log: Logger },
): Promise<Installation> {
  const { packages, refusals: unreadable } = await discoverPackages(root)
  const refusals = [...unreadable]
  const plugins = new Map<string, LoadedPlugin>()

  const refuse: Refuse = async (name, error, plugin) => {
    refusals.push(refusalOf(name, error))
    if (plugin) {
      plugins.delete(plugin.manifest.name)
      await plugin.host.close()
    }
  }

  for (const pkg of packages) {
    try {
      const plugin = await loadPlugin(pkg, parts)
      const taken = plugins.get(plugin.manifest.name)
      if (taken) {
        await plugin.host.close()
        throw new Error(`provides the module '${plugin.manifest.name}', as '${taken.package}' already does`)
      }
      plugins.set(plugin.manifest.name, plugin)
    } catch (error) {
      await refuse(pkg.name, error)
    }
  }
  for (const name of inCycle(plugins)) {
    const plugin = plugins.get(name)
    if (plugin) await refuse(plugin.package, `needs itself in a circle of modules`, plugin)
  }
  await refuseUnmet(plugins, refuse)
  for (const plugin of [...plugins.values()]) {
    await plugin.migrate().catch((error: unknown) => refuse(plugin.package, error, plugin))
  }
  await refuseUnmet(plugins, refuse)
  for (const refusal of refusals) parts.log.warn({ package: refusal.package }, refusal.reason)
  return { plugins, refusals }
}
