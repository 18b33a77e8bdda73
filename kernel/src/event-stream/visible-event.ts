// Whether somebody may hear of an event, and of how much of it. An event is about the entity that its name begins with:
// who may read that record, as a GET of it would say, hears of it. What is about no entity is for those with
// `tenant.events.read`.
import type { Json } from '@plinth/sdk'
import type { EntityRecord } from '../data/entity-store.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import type { Ability } from '../permissions/build-ability.ts'
import { namesFields } from '../permissions/field-rights.ts'
import { rowCondition } from '../permissions/row-condition.ts'
import { holdsTenantPermission } from '../permissions/tenant-permissions.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Located } from '../stages.ts'
import type { StoredEvent } from './stored-event.ts'

export interface VisibilityParts {
  readonly registry: Pick<PluginRegistry, 'served'>
  readonly connections: Pick<TenantConnections, 'reader'>
  abilityOf(located: Located, plugin: LoadedPlugin): Ability
}

/** What of the event the caller may see; undefined: nothing. */
export type SeeEvent = (located: Located, event: StoredEvent) => Promise<StoredEvent | undefined>

export function createSeeEvent(parts: VisibilityParts, off: DefencesOff = allStand): SeeEvent {
  const { registry, connections, abilityOf } = parts

  /** The version that serves this tenant, where the module is switched on. */
  function pluginOf({ tenant }: Located, module: string): LoadedPlugin | undefined {
    if (!tenant.modules.has(module) && !off.has('entitlement')) return undefined
    return registry.served(module)?.pluginFor(tenant)
  }

  return async (located, event) => {
    const plugin = pluginOf(located, event.module)
    if (!plugin) return undefined
    const [entity = ''] = event.event.split('.')
    const store = Object.hasOwn(plugin.stores, entity) ? plugin.stores[entity] : undefined
    if (!store) return holdsTenantPermission(located, 'tenant.events.read') ? event : undefined
    const ability = abilityOf(located, plugin)
    if (!ability.can('read', entity)) return undefined
    const condition = rowCondition(ability, 'read', entity)
    const isTrimmed = namesFields(ability, 'read', entity)
    if (condition === true && !isTrimmed) return event
    const [about, id = ''] = event.subject?.split(':') ?? []
    // Which record it is about cannot be told, and so not whether it may be read.
    if (about !== `${event.module}.${entity}`) return undefined
    const record = await store.get(connections.reader(located.tenant.id), id, condition)
    if (!record) return undefined
    return isTrimmed
      ? { ...event, payload: trimmedPayload(ability, entity, store.spec.fields, record, event.payload) }
      : event
  }
}

/** Without what is called as a field of the record that the caller may not read. */
function trimmedPayload(
  ability: Ability,
  entity: string,
  fields: Readonly<Record<string, unknown>>,
  record: EntityRecord,
  payload: Json,
): Json {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload
  const subject = { entity, record }
  return Object.fromEntries(
    Object.entries(payload).filter(
      ([name]) => !Object.hasOwn(fields, name) || ability.can('read', subject, name),
    ),
  )
}
