// What one request has used, over all the handlers that work for it: a limit that each nested call got anew would be
// none. And whether something in it has failed for good.
import { errors } from '../errors.ts'

export interface RequestLimits {
  readonly cpuMs: number
  readonly wallMs: number
  readonly calls: number
}

export class Spending {
  readonly #limits: RequestLimits
  readonly #until: number
  #cpuMs = 0
  #calls = 0
  #failure: unknown

  constructor(limits: RequestLimits) {
    this.#limits = limits
    this.#until = performance.now() + limits.wallMs
  }

  /** What is left for a handler that starts now. @throws LIMIT_EXCEEDED, PLUGIN_DEADLINE_EXCEEDED */
  remaining(module: string): { readonly cpuMs: number; readonly wallMs: number } {
    const { cpuMs, wallMs } = this.#limits
    const left = this.#until - performance.now()
    if (left <= 0) throw errors.pluginDeadline({ module, limitMs: wallMs })
    if (this.#cpuMs >= cpuMs) {
      throw errors.limitExceeded({ module, limit: 'cpu', used: Math.round(this.#cpuMs), cap: cpuMs })
    }
    return { cpuMs: cpuMs - this.#cpuMs, wallMs: Math.ceil(left) }
  }

  addCpu(ms: number): void {
    this.#cpuMs += ms
  }

  /** @throws LIMIT_EXCEEDED */
  countCall(module: string): void {
    this.#calls += 1
    const { calls } = this.#limits
    if (this.#calls > calls)
      throw errors.limitExceeded({ module, limit: 'calls', used: this.#calls, cap: calls })
  }

  /** A service or hook that failed has left half its work in the transaction: whoever catches it, nothing is kept. */
  doom(failure: unknown): void {
    this.#failure ??= failure
  }

  /** @throws what has failed */
  confirm(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
