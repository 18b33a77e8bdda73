// The plugins among the installation's own packages, loaded from their folders. A package that cannot be loaded is left
// out with a sentence; the kernel starts without it. Which of them serve is decided by plugin-registry.ts.
import { discoverPackages, type Refusal } from './discover-packages.ts'
import { type LoadedPlugin, type LoadParts, loadPlugin } from './load-plugin.ts'
import { readPluginFolder } from './plugin-code.ts'

export interface Folders {
  readonly plugins: readonly LoadedPlugin[]
  readonly refusals: readonly Refusal[]
}

/** What loading throws is half a sentence or a whole one; what comes out names the package. */
export function refusalOf(name: string, error: unknown): Refusal {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
  return {
    package: name,
    reason: `The package '${name}' ${/^[A-Z]/.test(text) ? `is refused: ${text}` : text}.`,
  }
}

/** `owners`: which package provides a module in this database already; nobody else's package may. */
export async function loadInstallation(
  root: string,
  parts: LoadParts,
  owners: ReadonlyMap<string, string>,
): Promise<Folders> {
  const { packages, refusals: unreadable } = await discoverPackages(root)
  const refusals = [...unreadable]
  const loaded: LoadedPlugin[] = []
  for (const pkg of packages) {
    try {
      loaded.push(await loadPlugin(await readPluginFolder(pkg), parts))
    } catch (error) {
      refusals.push(refusalOf(pkg.name, error))
    }
  }
  const plugins: LoadedPlugin[] = []
  for (const plugin of loaded) {
    const taken = takenBy(plugin, loaded, owners)
    if (taken === undefined) plugins.push(plugin)
    else {
      const reason = `provides the module '${plugin.manifest.name}', as '${taken}' already does`
      refusals.push(refusalOf(plugin.package, reason))
      await plugin.host.close()
    }
  }
  return { plugins, refusals }
}

/** Without an owner neither of two has the better claim: which came first in package.json says nothing. */
function takenBy(
  plugin: LoadedPlugin,
  loaded: readonly LoadedPlugin[],
  owners: ReadonlyMap<string, string>,
): string | undefined {
  const { name } = plugin.manifest
  const owner = owners.get(name)
  if (owner !== undefined) return owner === plugin.package ? undefined : owner
  return loaded.find((other) => other !== plugin && other.manifest.name === name)?.package
}
