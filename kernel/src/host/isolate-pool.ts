// The isolates of this host by tenant: least recently used first, and none kept for long that nobody uses (2.5 MB each;
// disposing is immediate, making one takes 3.6 ms).
import type { GuestLimits } from '../protocol/limits.ts'
import type { TenantIsolate } from './tenant-isolate.ts'

const sweepMs = 30_000

export class IsolatePool {
  readonly #limits: GuestLimits
  readonly #create: () => TenantIsolate
  // In order of use: a tenant is moved to the end whenever it is asked for.
  readonly #isolates = new Map<string, TenantIsolate>()

  constructor(limits: GuestLimits, create: () => TenantIsolate) {
    this.#limits = limits
    this.#create = create
    setInterval(() => this.#sweep(), sweepMs).unref()
  }

  /** Undefined when all isolates are in use. */
  take(tenant: string): TenantIsolate | undefined {
    const known = this.#isolates.get(tenant)
    this.#isolates.delete(tenant)
    if (!known && !this.#makeRoom()) return undefined
    const isolate = known && !known.hasEnded ? known : this.#create()
    this.#isolates.set(tenant, isolate)
    return isolate
  }

  #makeRoom(): boolean {
    if (this.#isolates.size < this.#limits.isolates) return true
    for (const [tenant, isolate] of this.#isolates) {
      if (isolate.isIdle || isolate.hasEnded) {
        this.#drop(tenant, isolate)
        return true
      }
    }
    return false
  }

  #sweep(): void {
    const oldest = performance.now() - this.#limits.isolateIdleMs
    for (const [tenant, isolate] of this.#isolates) {
      if (isolate.hasEnded || (isolate.isIdle && isolate.lastUsedAt < oldest)) this.#drop(tenant, isolate)
    }
  }

  #drop(tenant: string, isolate: TenantIsolate): void {
    this.#isolates.delete(tenant)
    isolate.dispose()
  }
}
