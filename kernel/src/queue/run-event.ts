// A module acts on an event of another: its subscriber runs in the sandbox with the module's own right, in the name of
// whoever caused the event.
import type { Manifest } from '@plinth/sdk'
import semver from 'semver'
import { errors } from '../errors.ts'
import type { WithWork } from '../http/module-parts.ts'
import { type Ability, fullAbility } from '../permissions/build-ability.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Tenant } from '../stages.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import type { ModuleWorkers } from './module-workers.ts'
import { type RunTask, Skipped } from './run-task.ts'

const laterSeconds = 5

export interface RunEventParts {
  readonly registry: Pick<PluginRegistry, 'pluginFor'>
  readonly directory: Pick<TenantDirectory, 'find'>
  readonly withWork: WithWork
  readonly enter: ModuleWorkers['enter']
}

/** @throws EVENT_VERSION_MISMATCH */
function checkVersion(manifest: Manifest, event: string, version: string | null): void {
  const [from = ''] = event.split('.')
  const range = manifest.uses[from]?.range
  if (range === undefined || version === null) return
  if (semver.satisfies(version, range, { includePrerelease: true })) return
  throw errors.eventVersion({ module: manifest.name, event, version, range })
}

export function eventRunner({ registry, directory, withWork, enter }: RunEventParts): RunTask {
  const abilities = new WeakMap<Manifest, Ability>()

  /** Another process may have it, or this one in a while: that is no attempt. @throws MODULE_UNAVAILABLE */
  function pluginFor(tenant: Tenant, module: string): LoadedPlugin {
    try {
      return registry.pluginFor(tenant, module)
    } catch (cause) {
      throw errors.moduleUnavailable({ module, retryAfter: laterSeconds }, cause)
    }
  }

  return async (task) => {
    const tenant = await directory.find(task.tenant)
    if (!tenant || !task.event) throw new Skipped('the tenant or the event is gone')
    const plugin = pluginFor(tenant, task.module)
    const { manifest } = plugin
    // Its version for this tenant does not act on it, another one does.
    if (!Object.hasOwn(manifest.on, task.name)) throw new Skipped('nobody listens')
    checkVersion(manifest, task.name, task.event.version)
    const ability = abilities.get(manifest) ?? fullAbility(manifest)
    abilities.set(manifest, ability)
    const stage = {
      tenant,
      plugin,
      ability,
      actor: { id: task.actor, name: '', email: '', session: '' },
      requestId: task.requestId,
      ...(task.traceparent === null ? {} : { traceparent: task.traceparent }),
      ...(task.onBehalfOf === null ? {} : { onBehalfOf: task.onBehalfOf }),
      via: `event:${task.event.id}`,
      task: { id: task.id, attempt: task.attempt, depth: task.depth },
    }
    const { payload } = task.event
    const leave = enter(plugin)
    try {
      await withWork(stage, (work) => work.runText({ kind: 'event', event: task.name }, payload), {
        entersPlugin: true,
      })
    } finally {
      leave()
    }
  }
}
