// Ends what an entry's own timeout does not: code that has used up its CPU (a timeout counts the time on the wall, and on a
// busy machine an innocent entry has little of it), and what runs outside every timeout: getters of unhandled rejections,
// finalizers, built-ins that V8 cannot interrupt. First the isolate goes; if even that does not end it, the host.

const pollMs = 25
/** On the wall, after an entry's own timeout. */
const disposeAfterMs = 300
/** From disposing to the end of the host; with less CPU used than this, the machine is slow and not the isolate. */
const killAfterMs = 500
const killAfterCpuMs = 250
const killAnywayMs = 2_000

export interface Watch {
  /** CPU that the entry may use. */
  readonly cpuMs: number
  /** Longest that the entry may take by its own timeout. */
  readonly timeoutMs: number
  readonly dispose: () => void
  /** Tells the kernel whose fault it was, before the end. */
  readonly lastWords: () => void
}

/** What the watchdog knows of an entry. */
export interface Watched {
  /** An upper estimate: V8 tells an isolate's CPU time only when it has stopped. */
  readonly cpuMs: number
}

class Entry implements Watched {
  readonly watch: Watch
  readonly since = performance.now()
  cpuMs = 0
  disposedAt: number | undefined
  cpuAfterMs = 0

  constructor(watch: Watch) {
    this.watch = watch
  }
}

export interface WatchdogSwitches {
  /** Ends an entry by its CPU. */
  readonly cpu: boolean
  /** Ends what has not returned after its timeout. */
  readonly late: boolean
}

const processCpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

export class Watchdog {
  readonly #kill: () => void
  readonly #switches: WatchdogSwitches
  readonly #entries = new Set<Entry>()
  #timer: NodeJS.Timeout | undefined
  #lookedAt = 0
  #seenCpuMs = 0

  constructor(kill: () => void, switches: WatchdogSwitches) {
    this.#kill = kill
    this.#switches = switches
  }

  /** Watches `entry` until it settles; `onStart` is given what the watchdog learns of it. */
  async guard<T>(watch: Watch, entry: Promise<T>, onStart?: (watched: Watched) => void): Promise<T> {
    const watched = new Entry(watch)
    this.#entries.add(watched)
    onStart?.(watched)
    if (!this.#timer) {
      this.#lookedAt = watched.since
      this.#seenCpuMs = processCpuMs()
      this.#timer = setInterval(() => this.#look(), pollMs)
    }
    try {
      return await entry
    } finally {
      this.#entries.delete(watched)
    }
  }

  /** The process's CPU since the last look, in equal shares: threads that all want to run get about that. */
  #look(): void {
    // Not at the end of an entry: the next one follows within microseconds, and a timer costs about one.
    if (this.#entries.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    const now = performance.now()
    const cpuMs = processCpuMs()
    const share = (cpuMs - this.#seenCpuMs) / this.#entries.size
    for (const entry of this.#entries) {
      // No thread uses more CPU than time passes.
      const used = Math.min(share, now - Math.max(entry.since, this.#lookedAt))
      if (entry.disposedAt === undefined) entry.cpuMs += used
      else entry.cpuAfterMs += used
      this.#judge(entry, now)
    }
    this.#lookedAt = now
    this.#seenCpuMs = cpuMs
  }

  #judge(entry: Entry, now: number): void {
    const { watch, since, disposedAt } = entry
    if (disposedAt === undefined) {
      const isLate = this.#switches.late && now - since > watch.timeoutMs + disposeAfterMs
      const isSpent = this.#switches.cpu && entry.cpuMs > watch.cpuMs
      if (!isLate && !isSpent) return
      entry.disposedAt = now
      watch.dispose()
      return
    }
    if (!this.#switches.late) return
    const after = now - disposedAt
    if (after < killAfterMs || (entry.cpuAfterMs < killAfterCpuMs && after < killAnywayMs)) return
    watch.lastWords()
    this.#kill()
  }
}
