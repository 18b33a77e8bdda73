// May this tenant use this module at all? Decided in memory, before any line of plugin code runs.
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Entitled, Located } from '../stages.ts'

/** @throws MODULE_NOT_ENABLED */
function checkEnabled(located: Located, module: string): void {
  if (!located.tenant.modules.has(module)) throw errors.moduleNotEnabled({ module })
}

/** @throws MODULE_NOT_ENABLED */
export function checkEntitlement(
  located: Located,
  plugin: LoadedPlugin,
  off: DefencesOff = allStand,
): Entitled {
  if (!off.has('entitlement')) checkEnabled(located, plugin.manifest.name)
  return { ...located, plugin }
}

/** The version of the module that serves this tenant. @throws MODULE_NOT_FOUND, MODULE_NOT_ENABLED, MODULE_UNAVAILABLE */
export function enabledPlugin(
  registry: Pick<PluginRegistry, 'served' | 'pluginFor'>,
  located: Located,
  module: string,
): LoadedPlugin {
  if (!registry.served(module)) throw errors.moduleNotFound({ module })
  checkEnabled(located, module)
  return registry.pluginFor(located.tenant, module)
}
