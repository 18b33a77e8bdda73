// A setting that names a record: whether there is one. A foreign key cannot say it, and the module would learn of it only
// when it works with the setting, perhaps weeks later and in somebody else's request.

import type { Json, Manifest } from '@plinth/sdk'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { errors, type FieldError } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Located } from '../stages.ts'

export interface ReferenceParts {
  readonly registry: Pick<PluginRegistry, 'served' | 'pluginFor'>
  readonly connections: Pick<TenantConnections, 'reader'>
}

/**
 * Whatever the admin may read of that module: he is told no more than whether the id is one of his tenant's. Records of a
 * module that the tenant does not use cannot be looked for, and are taken as they are. @throws VALIDATION_FAILED
 */
export async function checkSettingReferences(
  { registry, connections }: ReferenceParts,
  { tenant }: Pick<Located, 'tenant'>,
  { manifest }: { readonly manifest: Manifest },
  values: Readonly<Record<string, Json>>,
): Promise<void> {
  const storeOf = (reference: string): LoadedPlugin['stores'][string] | undefined => {
    const [entity = '', module = manifest.name] = reference.split('.').reverse()
    if (!tenant.modules.has(module) || !registry.served(module)) return undefined
    const { stores } = registry.pluginFor(tenant, module)
    return Object.hasOwn(stores, entity) ? stores[entity] : undefined
  }
  const wrong: FieldError[] = []
  for (const [field, value] of Object.entries(values)) {
    const spec = manifest.settings[field]
    if (spec?.kind !== 'ref' || spec.entity === undefined || typeof value !== 'string') continue
    const store = storeOf(spec.entity)
    if (!store || (await store.get(connections.reader(tenant.id), value))) continue
    wrong.push({ field, code: 'REFERENCE_NOT_FOUND', message: `there is no ${spec.entity} '${value}'.` })
  }
  if (wrong.length > 0) throw errors.validation({ errors: wrong })
}
