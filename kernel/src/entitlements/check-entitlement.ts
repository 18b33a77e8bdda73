// May this tenant use this module at all? Decided in memory, before any line of plugin code runs.
import { errors } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Entitled, Located } from '../stages.ts'

/** @throws MODULE_NOT_ENABLED */
export function checkEnabled(located: Located, module: string): void {
  if (!located.tenant.modules.has(module)) throw errors.moduleNotEnabled({ module })
}

/** @throws MODULE_NOT_ENABLED */
export function checkEntitlement(located: Located, plugin: LoadedPlugin): Entitled {
  checkEnabled(located, plugin.manifest.name)
  return { ...located, plugin }
}
