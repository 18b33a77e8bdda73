// What runs outside every timeout: getters of unhandled rejections, finalizers, built-ins that V8 cannot interrupt.
// An entry that has not returned some time after its timeout loses its isolate; one that even that does not end
// takes the host with it.

const pollMs = 50
const disposeAfterMs = 300
const killAfterMs = 800

export interface Watch {
  /** Longest that the entry may take by its own timeout. */
  readonly timeoutMs: number
  readonly dispose: () => void
  /** Tells the kernel whose fault it was, before the end. */
  readonly lastWords: () => void
}

interface Entry extends Watch {
  readonly since: number
  isDisposed: boolean
}

export class Watchdog {
  readonly #kill: () => void
  readonly #entries = new Set<Entry>()
  #timer: NodeJS.Timeout | undefined

  constructor(kill: () => void) {
    this.#kill = kill
  }

  /** Watches `entry` until it settles. */
  async guard<T>(watch: Watch, entry: Promise<T>): Promise<T> {
    const watched: Entry = { ...watch, since: performance.now(), isDisposed: false }
    this.#entries.add(watched)
    this.#timer ??= setInterval(() => this.#look(), pollMs)
    try {
      return await entry
    } finally {
      this.#entries.delete(watched)
      if (this.#entries.size === 0) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
    }
  }

  #look(): void {
    const now = performance.now()
    for (const entry of this.#entries) {
      const late = now - entry.since - entry.timeoutMs
      if (late > killAfterMs) {
        entry.lastWords()
        this.#kill()
      } else if (late > disposeAfterMs && !entry.isDisposed) {
        entry.isDisposed = true
        entry.dispose()
      }
    }
  }
}
