// A call of another module's service, around its code: whether it may be made, with which input, and whether the answer is
// what the module says it answers.
import type { FieldSpecs, Json } from '@plinth/sdk'
import type { Work } from '../broker/work.ts'
import { parseFields, type Values } from '../data/field-kinds/parse-fields.ts'
import type { DefencesOff } from '../defences.ts'
import { fits } from '../entitlements/fits.ts'
import { errors, isPlinthError } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Tenant } from '../stages.ts'

/** An answer can be wrong in thousands of places. */
const mostNamed = 5

type Registry = Pick<PluginRegistry, 'pluginFor' | 'served'>
type Caller = Pick<Work, 'plugin' | 'tenant' | 'serviceChain'>

export interface ServiceCall {
  readonly plugin: LoadedPlugin
  readonly input: Values
  readonly serviceChain: readonly string[]
  /** The answer's text as values of what the service declares; any value when it declares nothing. @throws SERVICE_ANSWER_INVALID */
  answerFrom(text: string): Json
}

/**
 * @throws MODULE_NOT_ENABLED, MODULE_UNAVAILABLE, MODULE_NEEDS_UNMET, CAPABILITY_DENIED, SERVICE_CYCLE, VALIDATION_FAILED
 */
export function openServiceCall(
  registry: Registry,
  caller: Caller,
  { module, service, input }: { readonly module: string; readonly service: string; readonly input: Json },
  off: DefencesOff,
): ServiceCall {
  const { tenant, plugin } = caller
  if (!tenant.modules.has(module) && !off.has('entitlement')) throw errors.moduleNotEnabled({ module })
  const callee = registry.pluginFor(tenant, module)
  const from = plugin.manifest.name
  const use = Object.hasOwn(plugin.manifest.uses, module) ? plugin.manifest.uses[module] : undefined
  // Changes of versions are refused where they would lead here; one that is under way may be seen in part.
  if (use && !fits(callee.version, use.range)) {
    const need = `The module '${from}' needs '${module}' ${use.range}, and this tenant has ${callee.version}.`
    throw errors.moduleNeeds({ module: from, needs: [need] })
  }
  const { services } = callee.manifest
  const spec = Object.hasOwn(services, service) ? services[service] : undefined
  if (!spec) {
    const reason = `'${module}' offers no service '${service}'.`
    throw errors.capabilityDenied({ module: from, capability: 'services', reason })
  }
  const called = `${module}.${service}`
  const chain = caller.serviceChain ?? [from]
  const serviceChain = [...chain, called]
  if (chain.includes(called)) throw errors.serviceCycle({ module: from, service: called, path: serviceChain })
  const { returns } = spec
  return {
    plugin: callee,
    input: parseFields(spec.input, input),
    serviceChain,
    answerFrom: (text) => {
      const answer: Json = JSON.parse(text)
      return returns ? declaredAnswer({ module, service }, returns, answer) : answer
    },
  }
}

function declaredAnswer(
  of: { readonly module: string; readonly service: string },
  returns: FieldSpecs,
  answer: Json,
): Json {
  try {
    return parseFields(returns, answer, { path: 'answer' })
  } catch (error) {
    if (!isPlinthError(error) || error.code !== errors.validation.code) throw error
    const { errors: found } = error.data as Parameters<typeof errors.validation>[0]
    const wrong = found.slice(0, mostNamed).map(({ field, code }) => `${field} ${code}`)
    throw errors.serviceAnswer({ ...of, wrong })
  }
}

/** Modules among the plugin's `uses` that the tenant can use: an optional one in another version than asked for is none. */
export function usableModules(
  registry: Registry,
  tenant: Pick<Tenant, 'id' | 'modules'>,
  { manifest }: Pick<LoadedPlugin, 'manifest'>,
): string[] {
  return Object.entries(manifest.uses).flatMap(([module, { range, optional }]) => {
    const served = tenant.modules.has(module) ? registry.served(module) : undefined
    if (!served) return []
    const version = optional ? served.pluginFor(tenant)?.version : undefined
    return !optional || (version !== undefined && fits(version, range)) ? [module] : []
  })
}
