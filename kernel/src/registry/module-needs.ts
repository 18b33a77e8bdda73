// Whether modules have what they need of each other: version ranges, and no circles.
import { fits } from '../entitlements/fits.ts'
import type { LoadedPlugin } from './load-plugin.ts'

type Plugins = ReadonlyMap<string, LoadedPlugin>

/** Why the plugin's needs are not met by the others, as half a sentence, or undefined. */
export function unmetNeed(plugin: Pick<LoadedPlugin, 'manifest'>, others: Plugins): string | undefined {
  for (const [name, use] of Object.entries(plugin.manifest.uses)) {
    const other = others.get(name)
    if (!other && !use.optional) return `needs the module '${name}', which is not installed`
    if (other && !fits(other.version, use.range)) {
      return `needs the module '${name}' ${use.range}, and ${other.version} is installed`
    }
  }
  return undefined
}

/** Modules that need each other in a circle. What one can do without is no need: nothing has to be there before it. */
export function inCycle(plugins: Plugins): Set<string> {
  const reaches = (from: string, target: string, seen: Set<string>): boolean =>
    Object.entries(plugins.get(from)?.manifest.uses ?? {}).some(([next, use]) => {
      if (use.optional) return false
      if (next === target) return true
      if (seen.has(next)) return false
      seen.add(next)
      return reaches(next, target, seen)
    })
  return new Set([...plugins.keys()].filter((name) => reaches(name, name, new Set())))
}

/** Everything that could not serve beside the others, with why; refusing one can leave another without its need. */
export function unservable(plugins: Plugins): Map<string, string> {
  const left = new Map(plugins)
  const reasons = new Map<string, string>()
  for (const name of inCycle(plugins)) reasons.set(name, 'needs itself in a circle of modules')
  for (const name of reasons.keys()) left.delete(name)
  for (let before = -1; before !== left.size; ) {
    before = left.size
    for (const [name, plugin] of [...left]) {
      const unmet = unmetNeed(plugin, left)
      if (!unmet) continue
      reasons.set(name, unmet)
      left.delete(name)
    }
  }
  return reasons
}
