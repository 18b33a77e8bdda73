// Runs a plugin's handler for one piece of work: hands the host what ctx needs, opens the broker's gate for the
// invocation, and turns what comes back into data or into the error the caller should see.
import type { Json, Manifest } from '@plinth/sdk'
import type { Logger } from 'pino'
import { openGate } from '../broker/gate.ts'
import { meteredUnit } from '../broker/metered-unit.ts'
import type { Work } from '../broker/work.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { settingsOf } from '../entitlements/module-settings.ts'
import { errors, isPlinthError } from '../errors.ts'
import type { Outside } from '../outside/outside.ts'
import { type Ability, fullAbility, permissionNames } from '../permissions/build-ability.ts'
import type { DutyGuard } from '../permissions/duty-guard.ts'
import type { Handler } from '../protocol/envelope.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { InvocationWatcher } from '../telemetry/metrics.ts'
import { dayIn } from './day-in.ts'
import { declaredFailure } from './declared-failure.ts'
import { openServiceCall, usableModules } from './service-call.ts'

/** What a piece of work is about; the rest of a Work is made from it. */
export type WorkOptions = Omit<
  Work,
  'outside' | 'duties' | 'approvers' | 'chainsFor' | 'depth' | 'inNameOf' | 'run' | 'runText' | 'callService'
>

export interface WorkParts {
  readonly registry: Pick<PluginRegistry, 'pluginFor' | 'served'>
  readonly outside: Outside
  readonly duties: DutyGuard
  readonly approvers: Work['approvers']
  readonly chainsFor: Work['chainsFor']
  readonly log: Logger
  readonly watcher?: InvocationWatcher
}

/** Makes the Work of a request; what it calls in turn gets a Work of its own, one deeper. */
export function createWorks(parts: WorkParts, off: DefencesOff = allStand): (options: WorkOptions) => Work {
  const { registry, outside, duties, approvers, chainsFor, log, watcher } = parts
  // Asking for every permission takes about as long as a query; abilities are kept, so their names are too.
  const names = new WeakMap<Ability, readonly string[]>()
  const full = new WeakMap<Manifest, Ability>()

  function namesOf(manifest: Manifest, ability: Ability): readonly string[] {
    const known = names.get(ability) ?? permissionNames(manifest, ability)
    names.set(ability, known)
    return known
  }

  function make(options: WorkOptions, depth: number): Work {
    const work: Work = {
      ...options,
      outside,
      duties,
      approvers,
      chainsFor,
      unit: meteredUnit(options.unit, options.spending, options.plugin.manifest.name),
      depth,
      inNameOf: (lender) => (lender === undefined ? work : make({ ...options, onBehalfOf: lender }, depth)),
      runText: (handler, input) => {
        const inHook = options.inHook === true || handler.kind === 'hook'
        return run(make({ ...options, inHook }, depth + 1), handler, input)
      },
      run: async (handler, input) => JSON.parse(await work.runText(handler, input)),
      callService: (module, service, input) => callService(options, depth + 1, module, service, input),
    }
    return work
  }

  async function run(work: Work, handler: Handler, input: Json): Promise<string> {
    const { plugin, tenant, actor, requestId, spending } = work
    const module = plugin.manifest.name
    spending.reach(module, 'callDepth', work.depth)
    const startedAt = performance.now()
    let cpu: number | undefined
    const answer = openGate(work, off)
    const text = await plugin.host
      .invoke({
        module,
        tenant: tenant.id,
        requestId,
        handler,
        inputJson: JSON.stringify(input),
        context: {
          tenant: {
            id: tenant.id,
            currency: tenant.currency,
            locale: tenant.locale,
            timeZone: tenant.timeZone,
          },
          user: { id: actor.id, permissions: namesOf(plugin.manifest, work.ability) },
          today: dayIn(tenant.timeZone),
          settings: settingsOf(tenant, plugin.manifest),
          ...(handler.kind === 'job' && work.job
            ? { job: { id: work.job.id, attempt: work.job.attempt } }
            : {}),
          uses: usableModules(registry, tenant, plugin),
        },
        limits: spending.remaining(module),
        spent: (cpuMs) => {
          cpu = cpuMs
          spending.addCpu(module, cpuMs)
        },
        onEnd: (stop) => spending.onEnd(stop),
        spend: (limit, amount) => spending.spend(module, limit, amount),
        mayLog: () => spending.mayStill(module, 'logLines'),
        answer: (name, input) => {
          watcher?.capabilityCall(module, name)
          return answer(name, input)
        },
        // What works for a request that is inside already must not wait behind it.
        isAdmitted: work.isAdmitted === true || work.depth > 1,
      })
      .catch((error: unknown) => {
        const declared = declaredFailure(error, plugin.manifest)
        const failure = declared ?? error
        const code = isPlinthError(failure) ? failure.code : errors.internal.code
        // One that was ended by force reports nothing, or all but its last entry: its time counts, or loops would be
        // free, and so would be CPU before the hit of another limit.
        const isForced = code === errors.limitExceeded.code || code === errors.pluginDeadline.code
        if (isForced) spending.chargeFor(module, performance.now() - startedAt - (cpu ?? 0))
        // One that its request has left behind has not failed.
        if (!spending.hasEnded) watcher?.invocation(module, declared ? 'refused' : code, cpu)
        spending.doom(failure)
        throw failure
      })
    watcher?.invocation(module, 'ok', cpu)
    // The guest has counted it too; a host that was broken into has not.
    spending.reach(module, 'result', Buffer.byteLength(text))
    return text
  }

  async function callService(
    caller: WorkOptions,
    depth: number,
    module: string,
    service: string,
    input: Json,
  ): Promise<Json> {
    const call = openServiceCall(registry, caller, { module, service, input }, off)
    const { plugin, serviceChain } = call
    // The callee acts with its own right in its own module: a payroll officer need not be able to read the ledger.
    const ability = full.get(plugin.manifest) ?? fullAbility(plugin.manifest)
    full.set(plugin.manifest, ability)
    log.debug({ module, service, requestId: caller.requestId }, 'service call')
    const text = await run(
      make({ ...caller, plugin, ability, serviceChain }, depth),
      { kind: 'service', service },
      call.input,
    )
    try {
      return call.answerFrom(text)
    } catch (error) {
      // What it did stands in the transaction, and nobody can say what it was.
      caller.spending.doom(error)
      throw error
    }
  }

  return (options) => make(options, 0)
}
