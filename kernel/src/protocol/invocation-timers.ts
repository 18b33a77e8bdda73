// The real timers behind the setTimeout of one invocation, in a host and in process. The guest counts and says when it has too many; what a guest
// that was tampered with sets beyond that is not set.

export class InvocationTimers {
  readonly #timers = new Map<number, NodeJS.Timeout>()

  set(timer: number, ms: number, most: number, due: () => void): void {
    if (this.#timers.size >= most || this.#timers.has(timer)) return
    const run = (): void => {
      this.#timers.delete(timer)
      due()
    }
    this.#timers.set(timer, setTimeout(run, ms))
  }

  clear(timer: number): void {
    clearTimeout(this.#timers.get(timer))
    this.#timers.delete(timer)
  }

  clearAll(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}
