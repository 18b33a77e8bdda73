// The isolates of this host by tenant: least recently used first, none kept for long that nobody uses, fewer when memory
// is short, and one made ahead for the next tenant who has none.
import type { GuestLimits } from '../protocol/limits.ts'
import type { TenantIsolate } from './tenant-isolate.ts'

const sweepMs = 30_000
/** And before every isolate that is made. Asking costs about 10 µs. */
const lookAtMemoryMs = 250

export interface PoolParts {
  readonly limits: GuestLimits
  readonly create: () => TenantIsolate
  readonly rssMb: () => number
}

export class IsolatePool {
  readonly #parts: PoolParts
  // In order of use: a tenant is moved to the end whenever it is asked for.
  readonly #isolates = new Map<string, TenantIsolate>()
  #spare: TenantIsolate | undefined

  constructor(parts: PoolParts) {
    this.#parts = parts
    setInterval(() => this.#sweep(), sweepMs).unref()
    setInterval(() => this.#relieve(), lookAtMemoryMs).unref()
  }

  get size(): number {
    return this.#isolates.size + (this.#spare ? 1 : 0)
  }

  /** Undefined when all isolates are in use. */
  take(tenant: string): TenantIsolate | undefined {
    const known = this.#isolates.get(tenant)
    this.#isolates.delete(tenant)
    if (!known && !this.#makeRoom()) return undefined
    const isolate = known && !known.hasEnded ? known : this.#takeNew()
    this.#isolates.set(tenant, isolate)
    return isolate
  }

  #takeNew(): TenantIsolate {
    this.#relieve()
    const spare = this.#spare
    this.#spare = undefined
    return spare && !spare.hasEnded ? spare : this.#parts.create()
  }

  /** Makes the next tenant's isolate while nobody waits for it. The plugin's module scope runs without a tenant anyway. */
  prepare(): void {
    const { isolates, pressureMb } = this.#parts.limits
    // A host of one tenant has no next one.
    if (this.#spare || isolates === 1 || this.#parts.rssMb() > pressureMb) return
    this.#spare = this.#parts.create()
  }

  /** V8 gives an isolate's memory back at once when it is disposed. Better these than the whole host, by the kernel. */
  #relieve(): void {
    if (this.#parts.rssMb() < this.#parts.limits.pressureMb) return
    let excess = Math.ceil(this.#isolates.size / 2)
    for (const [tenant, isolate] of this.#isolates) {
      if (excess === 0) return
      if (!isolate.isIdle) continue
      this.#drop(tenant, isolate)
      excess -= 1
    }
  }

  #makeRoom(): boolean {
    if (this.#isolates.size < this.#parts.limits.isolates) return true
    for (const [tenant, isolate] of this.#isolates) {
      if (isolate.isIdle || isolate.hasEnded) {
        this.#drop(tenant, isolate)
        return true
      }
    }
    return false
  }

  #sweep(): void {
    const oldest = performance.now() - this.#parts.limits.isolateIdleMs
    for (const [tenant, isolate] of this.#isolates) {
      if (isolate.hasEnded || (isolate.isIdle && isolate.lastUsedAt < oldest)) this.#drop(tenant, isolate)
    }
  }

  #drop(tenant: string, isolate: TenantIsolate): void {
    this.#isolates.delete(tenant)
    isolate.dispose()
  }
}
