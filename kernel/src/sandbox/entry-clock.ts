// CPU of entries into a realm, on the kernel's own thread. Asking the system twice for each entry was 4.5 % of a
// request; so a short entry is its wall time, and only a long one is asked after: it may have waited for the processor.

/** Milliseconds. What ran since the last reading counts too, so readings are not older than this. */
const oldestReading = 20

export class EntryClock {
  #readAt = -Infinity
  #reading: NodeJS.CpuUsage = { user: 0, system: 0 }

  /** Milliseconds of CPU that `entry` took, `oldestReading` more at most. */
  measure(entry: () => void): number {
    const started = performance.now()
    if (started - this.#readAt > oldestReading) {
      this.#readAt = started
      this.#reading = process.threadCpuUsage()
    }
    entry()
    const wallMs = performance.now() - started
    if (wallMs <= oldestReading) return wallMs
    const { user, system } = process.threadCpuUsage(this.#reading)
    return Math.min(wallMs, (user + system) / 1_000)
  }
}
