// In whose name and with what right a task is done: the module acts with its own, in the name of whoever led to it.
import type { Manifest } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { WorkStage } from '../http/module-parts.ts'
import { type Ability, fullAbility } from '../permissions/build-ability.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Tenant } from '../stages.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import { Skipped } from './run-task.ts'
import type { Task } from './task.ts'

const laterSeconds = 5

export interface TaskStageParts {
  readonly registry: Pick<PluginRegistry, 'pluginFor'>
  readonly directory: Pick<TenantDirectory, 'find'>
}

/** `via` names the task in the audit trail. @throws Skipped when the tenant is gone, MODULE_UNAVAILABLE */
export type TaskStage = (task: Task, via: string) => Promise<WorkStage>

export function taskStages({ registry, directory }: TaskStageParts): TaskStage {
  const abilities = new WeakMap<Manifest, Ability>()

  /** Another process may have it, or this one in a while: that is no attempt. */
  function pluginFor(tenant: Tenant, module: string): LoadedPlugin {
    try {
      return registry.pluginFor(tenant, module)
    } catch (cause) {
      throw errors.moduleUnavailable({ module, retryAfter: laterSeconds }, cause)
    }
  }

  return async (task, via) => {
    const tenant = await directory.find(task.tenant)
    if (!tenant) throw new Skipped('the tenant is gone')
    const plugin = pluginFor(tenant, task.module)
    const ability = abilities.get(plugin.manifest) ?? fullAbility(plugin.manifest)
    abilities.set(plugin.manifest, ability)
    return {
      tenant,
      plugin,
      ability,
      actor: { id: task.actor, name: '', email: '', session: '' },
      requestId: task.requestId,
      ...(task.traceparent === null ? {} : { traceparent: task.traceparent }),
      ...(task.onBehalfOf === null ? {} : { onBehalfOf: task.onBehalfOf }),
      via,
    }
  }
}
