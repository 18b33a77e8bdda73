// Who may be inside a plugin: a few invocations of each tenant at once, the others in turns, tenant by tenant, so that one
// tenant's storm moves nobody else's latency. What is inside already never waits here behind itself (see invoke.ts).

export interface FairLimits {
  readonly perPlugin: number
  readonly perTenant: number
  readonly waitingPerTenant: number
  /** Inside and waiting, of all tenants. */
  readonly invocationsAtOnce: number
}

/** Gives the place back. */
export type Leave = () => void

interface Waiter {
  readonly enter: (leave: Leave) => void
  readonly refuse: () => void
}

interface Tenant {
  inside: number
  readonly waiting: Set<Waiter>
}

export class FairQueue {
  readonly #limits: FairLimits
  readonly #tenants = new Map<string, Tenant>()
  /** Tenants who have somebody waiting; whose turn it is stands first. */
  readonly #turns = new Map<string, Tenant>()
  #inside = 0
  #waiting = 0

  constructor(limits: FairLimits) {
    this.#limits = limits
  }

  get inside(): number {
    return this.#inside
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Undefined when the tenant has too many waiting already, or has waited for `waitMs`. */
  enter(id: string, waitMs: number): Promise<Leave | undefined> {
    const tenant = this.#tenants.get(id) ?? { inside: 0, waiting: new Set() }
    this.#tenants.set(id, tenant)
    if (this.#hasPlace(tenant)) return Promise.resolve(this.#admit(id, tenant))
    if (tenant.waiting.size >= this.#limits.waitingPerTenant || !this.#makeRoomFor(tenant)) {
      this.#forget(id, tenant)
      return Promise.resolve(undefined)
    }
    return new Promise((resolve) => {
      const end = (leave: Leave | undefined) => {
        clearTimeout(deadline)
        if (tenant.waiting.delete(waiter)) this.#waiting -= 1
        if (tenant.waiting.size === 0) this.#turns.delete(id)
        this.#forget(id, tenant)
        resolve(leave)
      }
      const waiter: Waiter = { enter: end, refuse: () => end(undefined) }
      const deadline = setTimeout(waiter.refuse, waitMs)
      tenant.waiting.add(waiter)
      this.#turns.set(id, tenant)
      this.#waiting += 1
    })
  }

  #hasPlace(tenant: Tenant): boolean {
    const { perPlugin, perTenant } = this.#limits
    return this.#inside < perPlugin && tenant.inside < perTenant
  }

  #admit(id: string, tenant: Tenant): Leave {
    tenant.inside += 1
    this.#inside += 1
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      tenant.inside -= 1
      this.#inside -= 1
      this.#forget(id, tenant)
      this.#callNext()
    }
  }

  #callNext(): void {
    for (const [id, tenant] of this.#turns) {
      if (this.#inside >= this.#limits.perPlugin) return
      if (!this.#hasPlace(tenant)) continue
      const [next] = tenant.waiting
      // To the end of the line: the others come before it is this tenant's turn again.
      this.#turns.delete(id)
      this.#turns.set(id, tenant)
      next?.enter(this.#admit(id, tenant))
      return
    }
  }

  /** When all places to wait are taken, who waits with most gives one up, if he has more than this one. */
  #makeRoomFor(tenant: Tenant): boolean {
    if (this.#inside + this.#waiting < this.#limits.invocationsAtOnce) return true
    const [longest] = [...this.#turns.values()].sort((a, b) => b.waiting.size - a.waiting.size)
    if (!longest || longest.waiting.size <= tenant.waiting.size + 1) return false
    const last = [...longest.waiting].at(-1)
    last?.refuse()
    return true
  }

  #forget(id: string, tenant: Tenant): void {
    if (tenant.inside === 0 && tenant.waiting.size === 0) this.#tenants.delete(id)
  }
}
