// Runs a plugin's handler for one piece of work: hands the host what ctx needs, opens the broker's gate for the
// invocation, and turns what comes back into data or into the error the caller should see.
import type { Json, Manifest } from '@plinth/sdk'
import type { Logger } from 'pino'
import { openGate } from '../broker/gate.ts'
import { deepestCall, type Work } from '../broker/work.ts'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import { settingsOf } from '../entitlements/module-settings.ts'
import { errors } from '../errors.ts'
import { type Ability, buildAbility, permissionNames } from '../permissions/build-ability.ts'
import type { Handler } from '../protocol/envelope.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import { declaredFailure } from './declared-failure.ts'

/** What a piece of work is about; the rest of a Work is made from it. */
export type WorkOptions = Omit<Work, 'depth' | 'run' | 'runText' | 'callService'>

/** Makes the Work of a request; what it calls in turn gets a Work of its own, one deeper. */
export function createWorks(parts: {
  readonly plugins: ReadonlyMap<string, LoadedPlugin>
  readonly log: Logger
}): (options: WorkOptions) => Work {
  const { plugins, log } = parts
  // Asking for every permission takes about as long as a query; abilities are kept, so their names are too.
  const names = new WeakMap<Ability, readonly string[]>()

  function namesOf(manifest: Manifest, ability: Ability): readonly string[] {
    const known = names.get(ability) ?? permissionNames(manifest, ability)
    names.set(ability, known)
    return known
  }

  function make(options: WorkOptions, depth: number): Work {
    const work: Work = {
      ...options,
      depth,
      runText: (handler, input) => run(make(options, depth + 1), handler, input),
      run: async (handler, input) => JSON.parse(await work.runText(handler, input)),
      callService: (module, service, input) => callService(options, depth + 1, module, service, input),
    }
    return work
  }

  async function run(work: Work, handler: Handler, input: Json): Promise<string> {
    const { plugin, tenant, actor, requestId, spending } = work
    const module = plugin.manifest.name
    if (work.depth > deepestCall) {
      throw errors.limitExceeded({ module, limit: 'call depth', used: work.depth, cap: deepestCall })
    }
    return plugin.host
      .invoke({
        module,
        tenant: tenant.id,
        requestId,
        handler,
        inputJson: JSON.stringify(input),
        context: {
          tenant: { id: tenant.id, currency: tenant.currency },
          user: { id: actor.id, permissions: namesOf(plugin.manifest, work.ability) },
          today: new Date().toISOString().slice(0, 10),
          settings: settingsOf(tenant, plugin.manifest),
          uses: Object.keys(plugin.manifest.uses).filter(
            (name) => tenant.modules.has(name) && plugins.has(name),
          ),
        },
        limits: spending.remaining(module),
        // What works for a request that is inside already must not wait behind it.
        isAdmitted: work.isAdmitted === true || work.depth > 1,
        spent: (cpuMs) => spending.addCpu(cpuMs),
        answer: openGate(work),
      })
      .catch((error: unknown) => {
        const failure = declaredFailure(error, plugin.manifest) ?? error
        spending.doom(failure)
        throw failure
      })
  }

  async function callService(
    caller: WorkOptions,
    depth: number,
    module: string,
    service: string,
    input: Json,
  ): Promise<Json> {
    const callee = plugins.get(module)
    if (!callee || !caller.tenant.modules.has(module)) throw errors.moduleNotEnabled({ module })
    const { services } = callee.manifest
    const spec = Object.hasOwn(services, service) ? services[service] : undefined
    if (!spec) {
      const reason = `'${module}' offers no service '${service}'.`
      throw errors.capabilityDenied({ module: caller.plugin.manifest.name, capability: 'services', reason })
    }
    const parsed = parseFields(spec.input, input)
    // The callee acts with its own right in its own module: a payroll officer need not be able to read the ledger.
    const ability = buildAbility(callee.manifest, 'owner', caller.actor.id)
    log.debug({ module, service, requestId: caller.requestId }, 'service call')
    const text = await run(
      make({ ...caller, plugin: callee, ability }, depth),
      { kind: 'service', service },
      parsed,
    )
    return JSON.parse(text)
  }

  return (options) => make(options, 0)
}
