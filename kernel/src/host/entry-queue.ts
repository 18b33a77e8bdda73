// The entries that wait for one isolate. An isolate runs one at a time anyway; kept here, an entry's clock starts with its
// own turn, and the CPU that was used in it is its own.

/** What 36 invocations with all their calls in flight can need; a guest cannot cause more without the kernel's help. */
const longest = 2_000

export interface Entry {
  readonly invocation: number
  readonly what: string
  readonly values: readonly (string | number | boolean)[]
}

export class EntryQueue {
  readonly #run: (entry: Entry) => Promise<void>
  #waiting: Entry[] = []
  #isRunning = false

  /** `run` must not reject. */
  constructor(run: (entry: Entry) => Promise<void>) {
    this.#run = run
  }

  /** False when it is full. */
  add(entry: Entry): boolean {
    if (this.#waiting.length >= longest) return false
    this.#waiting.push(entry)
    if (!this.#isRunning) void this.#work()
    return true
  }

  clear(): void {
    this.#waiting = []
  }

  async #work(): Promise<void> {
    this.#isRunning = true
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await this.#run(next)
    this.#isRunning = false
  }
}
