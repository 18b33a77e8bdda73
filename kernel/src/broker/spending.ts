// What one request has used, over all the handlers that work for it: a limit that each nested call got anew would be
// none. And whether something in it has failed for good.
import { allStand, type DefencesOff } from '../defences.ts'
import { type GovernorLimit, type Limits, limitNames } from '../entitlements/governor-limits.ts'
import { errors } from '../errors.ts'
import type { CpuBudget } from './cpu-budget.ts'

export interface Use {
  readonly module: string
  readonly limit: GovernorLimit
  readonly used: number
  readonly cap: number
}

/** From here on whoever wrote the plugin should know. */
const warnAt = 0.8
/** Without the governor a handler has as long as an engine can count, and its deadline. */
const unlimitedMs = 3_600_000

export interface SpendingOptions {
  readonly limits: Limits
  /** What the tenant's other requests of this minute have used as well. */
  readonly minute?: CpuBudget
  /** Told once for each limit, when four fifths of it are used. */
  readonly onWarning?: (use: Use) => void
}

export class Spending {
  readonly limits: Limits
  readonly #options: SpendingOptions
  readonly #until: number
  readonly #isGoverned: boolean
  /** By limit, over all modules. */
  readonly #used = new Map<GovernorLimit, number>()
  readonly #byModule = new Map<string, Map<GovernorLimit, number>>()
  readonly #warned = new Set<GovernorLimit>()
  /** The limit or deadline that ended the request. */
  #over: unknown
  #failure: unknown
  #hasEnded = false
  /** What still works for the request, to be stopped with it. */
  readonly #stops = new Set<() => void>()

  constructor(options: SpendingOptions, off: DefencesOff = allStand) {
    this.limits = options.limits
    this.#options = options
    this.#until = performance.now() + options.limits.wall
    this.#isGoverned = !off.has('governor')
  }

  /**
   * Counts before the thing is done, so that never more is done than the cap allows.
   * @throws LIMIT_EXCEEDED, and from then on for whatever is asked: who catches it can do nothing more
   */
  spend(module: string, limit: GovernorLimit, amount = 1): void {
    this.#goOn()
    this.#count(module, limit, this.used(limit) + amount, amount)
  }

  /** For what is not summed: the depth of a call, the size of one result. @throws LIMIT_EXCEEDED */
  reach(module: string, limit: GovernorLimit, height: number): void {
    this.#goOn()
    const above = height - this.used(limit)
    if (above > 0) this.#count(module, limit, height, above)
  }

  /** False when it would go over the cap, and then it is not counted. For what is dropped and ends nothing. */
  mayStill(module: string, limit: GovernorLimit): boolean {
    const used = this.used(limit) + 1
    if (used > this.limits[limit]) return false
    this.#note(module, limit, used, 1)
    return true
  }

  /** What is left for a handler that starts now. @throws LIMIT_EXCEEDED, PLUGIN_DEADLINE_EXCEEDED */
  remaining(module: string): { readonly cpuMs: number; readonly wallMs: number } {
    this.#goOn()
    const { cpu, wall } = this.limits
    const left = this.#until - performance.now()
    if (left <= 0) throw this.#end(errors.pluginDeadline({ module, limitMs: wall }))
    if (this.#isGoverned) this.#checkMinute(module)
    const used = this.used('cpu')
    if (this.#isGoverned && used >= cpu) throw this.#exceeded({ module, limit: 'cpu', used, cap: cpu })
    return { cpuMs: this.#isGoverned ? cpu - used : unlimitedMs, wallMs: Math.ceil(left) }
  }

  /** Known when a handler has ended: more than the cap is told by `remaining`, to whoever comes next. */
  addCpu(module: string, ms: number): void {
    this.#options.minute?.add(module, ms)
    this.#note(module, 'cpu', this.used('cpu') + ms, ms)
  }

  /** For a handler that was ended by force: its time is taken for CPU, within what was left. Nobody is warned of that. */
  chargeFor(module: string, elapsedMs: number): void {
    const used = this.used('cpu')
    const ms = Math.min(elapsedMs, this.limits.cpu - used)
    if (ms <= 0) return
    this.#options.minute?.add(module, ms)
    this.#tally(module, 'cpu', used + ms, ms)
  }

  used(limit: GovernorLimit): number {
    return this.#used.get(limit) ?? 0
  }

  /** What each module has used, and nothing that is zero. */
  byModule(): ReadonlyMap<string, ReadonlyMap<GovernorLimit, number>> {
    return this.#byModule
  }

  /** `cpu=812/1000, queries=85/100`: for people who write plugins. */
  summary(): string {
    return limitNames
      .filter((name) => this.#used.has(name))
      .map((name) => `${name}=${Math.round(this.used(name))}/${this.limits[name]}`)
      .join(', ')
  }

  /** A service or hook that failed has left half its work in the transaction: whoever catches it, nothing is kept. */
  doom(failure: unknown): void {
    this.#failure ??= failure
  }

  /** @throws what has failed */
  confirm(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** The request has been answered: what still works for it is stopped, and asks for nothing more. */
  end(module: string): void {
    this.#hasEnded = true
    this.#over ??= errors.pluginDeadline({ module, limitMs: this.limits.wall })
    for (const stop of this.#stops) stop()
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Calls `stop` when the request ends, soon when it has ended. Gives how to forget it. */
  onEnd(stop: () => void): () => void {
    // What waited for its host to start comes too late.
    if (this.#hasEnded) queueMicrotask(stop)
    else this.#stops.add(stop)
    return () => void this.#stops.delete(stop)
  }

  #count(module: string, limit: GovernorLimit, used: number, amount: number): void {
    const cap = this.limits[limit]
    if (this.#isGoverned && used > cap) throw this.#exceeded({ module, limit, used, cap })
    this.#note(module, limit, used, amount)
  }

  #note(module: string, limit: GovernorLimit, used: number, amount: number): void {
    this.#tally(module, limit, used, amount)
    const cap = this.limits[limit]
    if (used < cap * warnAt || this.#warned.has(limit)) return
    this.#warned.add(limit)
    this.#options.onWarning?.({ module, limit, used: Math.round(used), cap })
  }

  #tally(module: string, limit: GovernorLimit, used: number, amount: number): void {
    this.#used.set(limit, used)
    const own = this.#byModule.get(module) ?? new Map<GovernorLimit, number>()
    this.#byModule.set(module, own)
    own.set(limit, (own.get(limit) ?? 0) + amount)
  }

  #exceeded(use: Use): unknown {
    const rounded = { ...use, used: Math.round(use.used) }
    return this.#end(errors.limitExceeded(rounded))
  }

  #checkMinute(module: string): void {
    try {
      this.#options.minute?.check(module)
    } catch (error) {
      throw this.#end(error)
    }
  }

  #goOn(): void {
    if (this.#over !== undefined) throw this.#over
  }

  #end(failure: unknown): unknown {
    this.#over = failure
    this.doom(failure)
    return failure
  }
}
