// Makes the hosts of plugins: who may be inside at once, who is kept out for a while because he keeps killing hosts, and
// which process serves whom, one for all tenants or one for each.
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import { buildScripts, type Scripts } from './build-scripts.ts'
import { Circuit } from './circuit.ts'
import { FairQueue, type Leave } from './fair-queue.ts'
import { type Platform, probePlatform } from './host-process.ts'
import { HostSlots } from './host-slots.ts'
import { defaultLimits, type SandboxLimits } from './limits.ts'
import type { HostInvocation, PluginHost, PluginHostStats } from './plugin-host.ts'
import type { HostEnd } from './running-host.ts'
import { positionsOf, type ReadSourceMap } from './source-positions.ts'
import { SupervisedHost } from './supervised-host.ts'

export interface HostOptions {
  /** Names the package in the log. */
  readonly name: string
  readonly bundle: string
  /** Asked at the first failure of the plugin. */
  readonly sourceMap?: ReadSourceMap
  readonly log: Logger
  /** A process for each tenant: what breaks out of an isolate finds one tenant's data. About 50 MB each. */
  readonly hostPerTenant?: boolean
  /** Without V8's compilers, where most of its weaknesses are: number code is up to four times slower. */
  readonly jitless?: boolean
  readonly limits?: SandboxLimits
}

/** A plugin in the sandbox. */
export type SandboxedHost = Required<PluginHost>

export type StartHost = (options: HostOptions) => Promise<SandboxedHost>

/** Probes the platform and builds our scripts once; what comes back starts hosts. */
export async function createHostStarter(log: Logger, off: DefencesOff = allStand): Promise<StartHost> {
  const [platform, scripts] = await Promise.all([probePlatform(), buildScripts(off)])
  if (platform.missing.length > 0) {
    log.warn(
      { missing: platform.missing },
      'plugin hosts run without these walls: this platform does not have them',
    )
  }
  return async (options) => superviseHost(platform, scripts, options, off)
}

export function superviseHost(
  platform: Platform,
  scripts: Scripts,
  options: HostOptions,
  off: DefencesOff = allStand,
): SandboxedHost {
  const { name, bundle, log, hostPerTenant = false, jitless = false, limits = defaultLimits } = options
  const positions = positionsOf(options)
  const queue = new FairQueue(limits.host)
  const pairs = new LRUCache<string, Circuit>({ max: limits.circuit.pairs })
  const deaths: Record<string, number> = {}
  let dropped = 0
  let closed = false

  function onDeath({ reason, culprit }: HostEnd, droppedByHost: number): void {
    deaths[reason] = (deaths[reason] ?? 0) + 1
    dropped += droppedByHost
    if (culprit === undefined) return
    const pair = pairs.get(culprit) ?? new Circuit(limits.circuit.pair)
    pairs.set(culprit, pair)
    const openMs = pair.record()
    if (openMs > 0) {
      const what = 'a tenant keeps killing the host of a plugin; he is not served by it for a while'
      log.error({ plugin: name, tenant: culprit, openMs }, what)
    }
  }

  // A host of one tenant has one isolate.
  const guest = hostPerTenant ? { ...limits.guest, isolates: 1 } : limits.guest
  const parts = { platform, scripts, name, bundle, log, limits: { ...limits, guest }, jitless, off, onDeath }
  const make = () => new SupervisedHost(parts)
  const slots = new HostSlots(make, hostPerTenant ? limits.host.hostsPerPlugin : 1)

  function refuseThrottled(module: string, tenant: string): void {
    const throttledMs = pairs.get(tenant)?.openForMs ?? 0
    if (throttledMs > 0)
      throw errors.moduleUnavailable({ module, retryAfter: Math.ceil(throttledMs / 1_000) })
  }

  async function admit(module: string, tenant: string, waitMs: number): Promise<Leave> {
    if (closed) throw errors.moduleUnavailable({ module })
    refuseThrottled(module, tenant)
    if (off.has('fairQueue')) return () => undefined
    const leave = await queue.enter(tenant, waitMs)
    if (!leave) throw errors.moduleUnavailable({ module, retryAfter: 1 })
    return leave
  }

  async function run(invocation: HostInvocation, limits: HostInvocation['limits']): Promise<string> {
    const { module, tenant } = invocation
    // Also who was admitted elsewhere: a service is called from within another module.
    refuseThrottled(module, tenant)
    const host = slots.take(hostPerTenant ? tenant : '')
    if (!host) throw errors.moduleUnavailable({ module, retryAfter: 1 })
    return host.invoke({ ...invocation, limits }).catch(positions.rethrow)
  }

  async function describe(): Promise<unknown> {
    if (!hostPerTenant) return slots.take('')?.describe()
    // In a process of its own that no tenant ever uses.
    const host = make()
    return host.describe().finally(() => host.close())
  }

  return {
    admit,
    describe: () =>
      describe().catch(async (error: unknown) => {
        if (!(error instanceof Error)) throw error
        throw new Error(await positions.explain(error.message), { cause: error })
      }),
    async invoke(invocation) {
      const { module, tenant, limits, isAdmitted } = invocation
      if (isAdmitted) return run(invocation, limits)
      const came = performance.now()
      const leave = await admit(module, tenant, limits.wallMs)
      try {
        const left = limits.wallMs - (performance.now() - came)
        return await run(invocation, { ...limits, wallMs: Math.max(1, Math.ceil(left)) })
      } finally {
        leave()
      }
    },
    stats(): PluginHostStats {
      const hosts = slots.all().flatMap((host) => host.stats ?? [])
      const now = hosts.reduce((sum, host) => sum + host.dropped, 0)
      return {
        hosts,
        inside: queue.inside,
        waiting: queue.waiting,
        deaths: { ...deaths },
        dropped: dropped + now,
      }
    },
    async close() {
      closed = true
      await slots.close()
    },
  }
}
