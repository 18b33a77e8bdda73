// Keeps a plugin's host: starts it when it is needed, kills it when it takes too much memory or falls silent, starts it
// again after a pause, and stops trying for a while when it keeps dying.
import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors, isPlinthError } from '../errors.ts'
import { buildScripts } from './build-scripts.ts'
import { probePlatform, spawnHost } from './host-process.ts'
import { defaultLimits } from './limits.ts'
import { type PluginHost, type PluginHostStats, RunningHost } from './plugin-host.ts'
import { type ReadSourceMap, sourcePositions } from './source-positions.ts'

export type { PluginHost }

export interface HostOptions {
  /** Names the package in the log. */
  readonly name: string
  readonly bundle: string
  /** Asked at the first failure of the plugin. */
  readonly sourceMap?: ReadSourceMap
  readonly log: Logger
}

/** Ends that the kernel caused; an exit has many codes and is one reason. */
const reasons: readonly string[] = Object.freeze([
  'did not load in time',
  'did not start',
  'it could not stop an invocation',
  'protocol violation',
  'silent',
  'too much memory',
])

export type StartHost = (options: HostOptions) => Promise<PluginHost>

/** Probes the platform and builds our scripts once; what comes back starts hosts. */
export async function createHostStarter(log: Logger, off: DefencesOff = allStand): Promise<StartHost> {
  const [platform, scripts] = await Promise.all([probePlatform(), buildScripts(off)])
  if (platform.missing.length > 0) {
    log.warn(
      { missing: platform.missing },
      'plugin hosts run without these walls: this platform does not have them',
    )
  }
  const { guest, host: hostLimits, circuit } = defaultLimits

  return async ({ name, bundle, sourceMap, log: hostLog }) => {
    const positions = sourcePositions(sourceMap, (reason) =>
      hostLog.warn({ plugin: name, reason }, 'the source map of a plugin is ignored'),
    )
    let current: Promise<RunningHost> | undefined
    let closed = false
    /** Invocations that have not been answered, those that still wait for the host among them. */
    let inside = 0
    let deaths: number[] = []
    const live = new Set<RunningHost>()
    const ends: Record<string, number> = {}
    let dropped = 0
    let openUntil = 0
    let openMs = circuit.openMs

    async function start(): Promise<RunningHost> {
      const host = new RunningHost(spawnHost(platform, scripts.host, hostLimits.heapMb), hostLog, ended)
      live.add(host)
      watch(host)
      try {
        await host.ask(undefined, '', hostLimits.startMs)
        await host.ask({ type: 'load', guest: scripts.guest, limits: guest }, bundle, hostLimits.startMs)
      } catch (error) {
        host.kill('did not start')
        throw error
      }
      return host
    }

    /** Every death counts, a load that failed too; a host that was closed has not died. */
    function ended(host: RunningHost): void {
      current = undefined
      live.delete(host)
      dropped += host.dropped
      if (closed) return
      const reason = reasons.includes(host.endReason) ? host.endReason : 'exit'
      ends[reason] = (ends[reason] ?? 0) + 1
      const now = performance.now()
      deaths = [...deaths.filter((at) => now - at < circuit.withinMs), now]
      if (deaths.length < circuit.kills) return
      deaths = []
      openUntil = now + openMs
      hostLog.error({ plugin: name, openMs }, 'a host keeps dying; its module is not served for a while')
      openMs = Math.min(openMs * 2, circuit.longestOpenMs)
    }

    function watch(host: RunningHost): void {
      const memory = setInterval(() => void checkMemory(host), hostLimits.rssPollMs)
      const heart = setInterval(() => {
        if (host.hasEnded) return
        if (host.ping() > hostLimits.heartbeatsMissed) {
          hostLog.error({ plugin: name }, 'a host does not answer; it is killed')
          host.kill('silent')
        }
      }, hostLimits.heartbeatMs)
      void host.gone().then(() => {
        clearInterval(memory)
        clearInterval(heart)
      })
    }

    async function checkMemory(host: RunningHost): Promise<void> {
      if (!host.isBusy || host.pid === undefined) return
      // Not statm: that counts in pages, which are 4 KB on one machine and 64 KB on the next. Where there is no /proc,
      // V8's own limit is the only one.
      const status = await readFile(`/proc/${host.pid}/status`, 'utf8').catch(() => '')
      const rssMb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
      if (rssMb <= hostLimits.rssMb || host.hasEnded) return
      hostLog.error(
        { plugin: name, rssMb: Math.round(rssMb), cap: hostLimits.rssMb },
        'a host takes too much memory; it is killed',
      )
      host.killForMemory(Math.round(rssMb), hostLimits.rssMb)
    }

    function pauseBeforeStart(): number {
      const now = performance.now()
      const recent = deaths.filter((at) => now - at < circuit.withinMs)
      const last = recent.at(-1)
      return last === undefined ? 0 : Math.max(0, last + circuit.backoffMs * 4 ** (recent.length - 1) - now)
    }

    async function running(): Promise<RunningHost> {
      if (closed || performance.now() < openUntil) throw new Error('is not served at the moment')
      if (!current) {
        const pauseMs = pauseBeforeStart()
        const starting = new Promise((resolve) => setTimeout(resolve, pauseMs)).then(start)
        current = starting
        starting.catch(() => {
          if (current === starting) current = undefined
        })
      }
      return current
    }

    /** Names the plugin's own files in what it threw. */
    async function withSources(error: unknown): Promise<never> {
      const thrown = isPlinthError(error) ? error.cause : undefined
      if (thrown instanceof Error && thrown.stack !== undefined) {
        thrown.stack = await positions.explain(thrown.stack)
      }
      throw error
    }

    return {
      async describe() {
        const host = await running()
        const answer = host.ask({ type: 'describe' }, '', hostLimits.startMs)
        const text = await answer.catch(async (error: Error) => {
          throw new Error(await positions.explain(error.message), { cause: error })
        })
        const manifest: unknown = JSON.parse(text)
        return manifest
      },
      async invoke(invocation) {
        const { module } = invocation
        if (inside >= hostLimits.invocationsAtOnce) throw errors.moduleUnavailable({ module })
        inside += 1
        try {
          const host = await running().catch((cause: unknown) => {
            throw errors.moduleUnavailable({ module }, cause)
          })
          return await host.invoke(invocation).catch(withSources)
        } finally {
          inside -= 1
        }
      },
      stats(): PluginHostStats {
        const now = [...live].reduce((sum, host) => sum + host.dropped, 0)
        return { hosts: [...live].map(() => ({})), deaths: { ...ends }, dropped: dropped + now }
      },
      async close() {
        closed = true
        const host = await current?.catch(() => undefined)
        if (!host) return
        const deadline = performance.now() + hostLimits.drainMs
        while (inside > 0 && performance.now() < deadline && !host.hasEnded) {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        host.kill('closed')
        await host.gone()
      },
    }
  }
}
