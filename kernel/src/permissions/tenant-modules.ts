// The manifests that a tenant's permissions come from: of the modules it has enabled, as it is served them.
import type { Manifest } from '@plinth/sdk'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Tenant } from '../stages.ts'

export type ModulesOf = (tenant: Pick<Tenant, 'id' | 'modules'>) => readonly Manifest[]

export const modulesFrom =
  (registry: Pick<PluginRegistry, 'served'>): ModulesOf =>
  (tenant) =>
    [...tenant.modules.keys()].sort().flatMap((module) => {
      const plugin = registry.served(module)?.pluginFor(tenant)
      return plugin ? [plugin.manifest] : []
    })
