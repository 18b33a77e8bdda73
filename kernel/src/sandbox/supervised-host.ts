// Keeps one process for a plugin: starts it when it is needed, kills it when it takes too much memory or falls silent, ends
// it when nobody needs it, starts it again after a pause, and stops trying for a while when it keeps dying.
import { readFile } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Scripts } from './build-scripts.ts'
import { Circuit } from './circuit.ts'
import { type Platform, spawnHost } from './host-process.ts'
import type { SandboxLimits } from './limits.ts'
import type { HostInvocation, HostStats } from './plugin-host.ts'
import { type HostEnd, RunningHost } from './running-host.ts'

export interface SupervisedParts {
  readonly platform: Platform
  readonly scripts: Scripts
  /** Names the package in the log. */
  readonly name: string
  readonly bundle: string
  readonly log: Logger
  readonly limits: SandboxLimits
  readonly jitless: boolean
  readonly off: DefencesOff
  /** Not told of hosts that were ended because nobody needed them. */
  readonly onDeath: (end: HostEnd, dropped: number) => void
}

export class SupervisedHost {
  readonly #parts: SupervisedParts
  readonly #circuit: Circuit
  readonly #allDeaths: Circuit
  #current: Promise<RunningHost> | undefined
  #host: RunningHost | undefined
  #rssMb = 0
  #inside = 0
  #closed = false
  #lastDeath = Number.NEGATIVE_INFINITY
  #lastUse = performance.now()

  constructor(parts: SupervisedParts) {
    this.#parts = parts
    this.#circuit = new Circuit(parts.limits.circuit.plugin)
    this.#allDeaths = new Circuit(parts.limits.circuit.all)
  }

  get isIdle(): boolean {
    return this.#inside === 0
  }

  get stats(): HostStats | undefined {
    const host = this.#host
    if (!host || host.hasEnded || host.pid === undefined) return undefined
    const { pid, isolates, inside, dropped, since } = host
    return { pid, rssMb: this.#rssMb, isolates, inside, dropped, since }
  }

  async describe(): Promise<unknown> {
    const { host: limits } = this.#parts.limits
    return this.#lend(async (host) => JSON.parse(await host.ask({ type: 'describe' }, '', limits.startMs)))
  }

  async invoke(invocation: HostInvocation): Promise<string> {
    const { module } = invocation
    return this.#lend(
      (host) => host.invoke(invocation),
      (cause) => errors.moduleUnavailable({ module, ...this.#retryAfter() }, cause),
    )
  }

  /** Ends it when nobody is inside, or after `drainMs`. */
  async close(): Promise<void> {
    this.#closed = true
    const host = await this.#current?.catch(() => undefined)
    if (!host) return
    const deadline = performance.now() + this.#parts.limits.host.drainMs
    while (this.#inside > 0 && performance.now() < deadline && !host.hasEnded) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    host.kill('closed')
    await host.gone()
  }

  /** The host stays while somebody has it, one that is being started too. */
  async #lend<T>(
    use: (host: RunningHost) => Promise<T>,
    explain: (cause: unknown) => unknown = (cause) => cause,
  ): Promise<T> {
    this.#inside += 1
    try {
      const host = await this.#running().catch((cause: unknown) => {
        throw explain(cause)
      })
      return await use(host)
    } finally {
      this.#inside -= 1
      this.#lastUse = performance.now()
    }
  }

  async #running(): Promise<RunningHost> {
    if (this.#closed || this.#openForMs > 0) throw new Error('is not served at the moment')
    if (!this.#current) {
      const starting = new Promise((resolve) => setTimeout(resolve, this.#pauseMs())).then(() =>
        this.#start(),
      )
      this.#current = starting
      starting.catch(() => {
        if (this.#current === starting) this.#current = undefined
      })
    }
    return this.#current
  }

  get #openForMs(): number {
    return Math.max(this.#circuit.openForMs, this.#allDeaths.openForMs)
  }

  #retryAfter(): { retryAfter?: number } {
    return this.#openForMs > 0 ? { retryAfter: Math.ceil(this.#openForMs / 1_000) } : {}
  }

  #pauseMs(): number {
    const { backoffMs } = this.#parts.limits.circuit
    const pause = backoffMs * 4 ** Math.max(0, this.#circuit.recentDeaths - 1)
    return Math.max(0, this.#lastDeath + pause - performance.now())
  }

  async #start(): Promise<RunningHost> {
    const { platform, scripts, bundle, log, limits, off, jitless } = this.#parts
    const { startMs, heapMb } = limits.host
    const child = spawnHost(platform, scripts.host, { heapMb, jitless })
    const host: RunningHost = new RunningHost({
      child,
      log,
      limits,
      off,
      onEnd: (end) => this.#ended(host, end),
    })
    this.#host = host
    this.#watch(host)
    try {
      await host.ask(undefined, '', startMs)
      const load = { type: 'load', guest: scripts.guest, limits: limits.guest, off: [...off] } as const
      await host.ask(load, bundle, startMs)
    } catch (error) {
      host.kill('did not start')
      throw error
    }
    return host
  }

  /** Every death counts, a load that failed too; a host that was closed or is idle has not died. */
  #ended(host: RunningHost, end: HostEnd): void {
    if (this.#host === host) this.#current = undefined
    if (this.#closed || end.reason === 'idle') return
    this.#lastDeath = performance.now()
    const opened = Math.max(
      this.#allDeaths.record(),
      // What one tenant causes is between him and the plugin (see supervisor.ts), and not the others' outage.
      end.culprit === undefined ? this.#circuit.record() : 0,
    )
    this.#parts.onDeath(end, host.dropped)
    if (opened === 0) return
    const { log, name } = this.#parts
    log.error({ plugin: name, openMs: opened }, 'a host keeps dying; its module is not served for a while')
  }

  #watch(host: RunningHost): void {
    const { limits, off, log, name } = this.#parts
    const { rssPollMs, heartbeatMs, heartbeatsMissed } = limits.host
    const memory = setInterval(() => void this.#checkMemory(host), rssPollMs)
    const heart = setInterval(() => {
      if (host.hasEnded) return
      if (this.#endIfIdle(host)) return
      if (host.ping() <= heartbeatsMissed || off.has('heartbeat')) return
      log.error({ plugin: name }, 'a host does not answer; it is killed')
      host.kill('silent')
    }, heartbeatMs)
    void host.gone().then(() => {
      clearInterval(memory)
      clearInterval(heart)
    })
  }

  #endIfIdle(host: RunningHost): boolean {
    if (this.#inside > 0 || performance.now() - this.#lastUse < this.#parts.limits.host.idleMs) return false
    host.kill('idle')
    return true
  }

  async #checkMemory(host: RunningHost): Promise<void> {
    if (!host.isBusy || host.pid === undefined) return
    // Not statm: that counts in pages, which are 4 KB on one machine and 64 KB on the next. Where there is no /proc,
    // V8's own limit is the only one.
    const status = await readFile(`/proc/${host.pid}/status`, 'utf8').catch(() => '')
    const rssMb = Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024)
    this.#rssMb = rssMb
    const { limits, off, log, name } = this.#parts
    const cap = limits.host.rssMb
    if (rssMb <= cap || host.hasEnded || off.has('residentMemory')) return
    log.error({ plugin: name, rssMb, cap }, 'a host takes too much memory; it is killed')
    host.killForMemory(rssMb, cap)
  }
}
