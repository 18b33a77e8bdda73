// Counts deaths, and says for how long nobody is to try again. Each opening lasts twice as long as the one before, and
// after a quiet time it begins anew: one bad night must not make every later stumble an outage.
import type { CircuitLimits } from './limits.ts'

export class Circuit {
  readonly #limits: CircuitLimits
  readonly #now: () => number
  #deaths: number[] = []
  #lastDeath = Number.NEGATIVE_INFINITY
  #openUntil = Number.NEGATIVE_INFINITY
  #openMs: number

  constructor(limits: CircuitLimits, now: () => number = () => performance.now()) {
    this.#limits = limits
    this.#now = now
    this.#openMs = limits.openMs
  }

  /** For how long it has opened, when this death was one too many; else 0. */
  record(): number {
    const { kills, withinMs, openMs, longestOpenMs, quietMs } = this.#limits
    const now = this.#now()
    // While it is open nothing can die; the quiet begins when it closes.
    if (now - Math.max(this.#lastDeath, this.#openUntil) > quietMs) this.#openMs = openMs
    this.#lastDeath = now
    this.#deaths = [...this.#recent(now, withinMs), now]
    if (this.#deaths.length < kills) return 0
    this.#deaths = []
    const opened = this.#openMs
    this.#openUntil = now + opened
    this.#openMs = Math.min(opened * 2, longestOpenMs)
    return opened
  }

  /** 0 when it is closed. */
  get openForMs(): number {
    return Math.max(0, this.#openUntil - this.#now())
  }

  /** Deaths that still count. */
  get recentDeaths(): number {
    return this.#recent(this.#now(), this.#limits.withinMs).length
  }

  #recent(now: number, withinMs: number): number[] {
    return this.#deaths.filter((at) => now - at < withinMs)
  }
}
