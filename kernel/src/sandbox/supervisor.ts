// Keeps a plugin's host: starts it when it is needed, kills it when it takes too much memory or falls silent, starts it
// again after a pause, and stops trying for a while when it keeps dying.
import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import { errors } from '../errors.ts'
import { buildScripts } from './build-scripts.ts'
import { probePlatform, spawnHost } from './host-process.ts'
import { defaultLimits } from './limits.ts'
import { type PluginHost, RunningHost } from './plugin-host.ts'

export type { PluginHost }

export interface HostOptions {
  /** Names the package in the log. */
  readonly name: string
  readonly bundle: string
  readonly log: Logger
}

export type StartHost = (options: HostOptions) => Promise<PluginHost>

const pageBytes = 4_096

/** Probes the platform and builds our scripts once; what comes back starts hosts. */
export async function createHostStarter(log: Logger): Promise<StartHost> {
  const [platform, scripts] = await Promise.all([probePlatform(), buildScripts()])
  if (platform.missing.length > 0) {
    log.warn(
      { missing: platform.missing },
      'plugin hosts run without these walls: this platform does not have them',
    )
  }
  const { guest, host: hostLimits, circuit } = defaultLimits

  return async ({ name, bundle, log: hostLog }) => {
    let current: Promise<RunningHost> | undefined
    let closed = false
    /** Invocations that have not been answered, those that still wait for the host among them. */
    let inside = 0
    let deaths: number[] = []
    let openUntil = 0
    let openMs = circuit.openMs

    async function start(): Promise<RunningHost> {
      const host = new RunningHost(spawnHost(platform, scripts.host, hostLimits.heapMb), hostLog, ended)
      watch(host)
      await host.ask(undefined, '', hostLimits.startMs)
      await host.ask({ type: 'load', guest: scripts.guest, limits: guest }, bundle, hostLimits.startMs)
      return host
    }

    /** Every death counts, a load that failed too; a host that was closed has not died. */
    function ended(): void {
      current = undefined
      if (closed) return
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
        host.send({ type: 'ping' })
        if (host.silentForMs > hostLimits.heartbeatMs * (hostLimits.heartbeatsMissed + 1)) {
          hostLog.error({ plugin: name }, 'a host does not answer; it is killed')
          host.kill()
        }
      }, hostLimits.heartbeatMs)
      void host.gone().then(() => {
        clearInterval(memory)
        clearInterval(heart)
      })
    }

    async function checkMemory(host: RunningHost): Promise<void> {
      if (!host.isBusy || host.pid === undefined) return
      // Fields of proc_pid_statm(5) are pages; where there is no /proc, V8's own limit is the only one.
      const statm = await readFile(`/proc/${host.pid}/statm`, 'utf8').catch(() => '')
      const rssMb = (Number(statm.split(' ')[1] ?? 0) * pageBytes) / 1024 / 1024
      if (rssMb <= hostLimits.rssMb) return
      hostLog.error(
        { plugin: name, rssMb: Math.round(rssMb), cap: hostLimits.rssMb },
        'a host takes too much memory; it is killed',
      )
      host.kill()
    }

    async function running(): Promise<RunningHost> {
      if (closed || performance.now() < openUntil) throw new Error('is not served at the moment')
      if (!current) {
        const pauseMs = deaths.length === 0 ? 0 : circuit.backoffMs * 4 ** (deaths.length - 1)
        current = new Promise((resolve) => setTimeout(resolve, pauseMs)).then(start)
        current.catch(() => {
          current = undefined
        })
      }
      return current
    }

    return {
      async describe() {
        const host = await running()
        const manifest: unknown = JSON.parse(await host.ask({ type: 'describe' }, '', hostLimits.startMs))
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
          return await host.invoke(invocation)
        } finally {
          inside -= 1
        }
      },
      async close() {
        closed = true
        const host = await current?.catch(() => undefined)
        if (!host) return
        const deadline = performance.now() + hostLimits.drainMs
        while (inside > 0 && performance.now() < deadline && !host.hasEnded) {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        host.kill()
        await host.gone()
      },
    }
  }
}
