// Which process serves whom: one for all, or one for each of the tenants that were here last.
import type { SupervisedHost } from './supervised-host.ts'

export class HostSlots {
  readonly #create: () => SupervisedHost
  readonly #most: number
  // In order of use: who is asked for moves to the end.
  readonly #slots = new Map<string, SupervisedHost>()
  readonly #closing = new Set<Promise<void>>()

  constructor(create: () => SupervisedHost, most: number) {
    this.#create = create
    this.#most = most
  }

  /** Undefined when all are in use. */
  take(key: string): SupervisedHost | undefined {
    const known = this.#slots.get(key)
    if (!known && !this.#makeRoom()) return undefined
    const slot = known ?? this.#create()
    this.#slots.delete(key)
    this.#slots.set(key, slot)
    return slot
  }

  all(): readonly SupervisedHost[] {
    return [...this.#slots.values()]
  }

  async close(): Promise<void> {
    await Promise.all([...this.all().map((slot) => slot.close()), ...this.#closing])
  }

  #makeRoom(): boolean {
    if (this.#slots.size < this.#most) return true
    const idle = [...this.#slots].find(([, slot]) => slot.isIdle)
    if (!idle) return false
    const [key, slot] = idle
    this.#slots.delete(key)
    const closing = slot.close().finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
    return true
  }
}
