// How many requests of one tenant are inside the kernel at once while other tenants ask as well. More wait in turns, tenant
// by tenant. Who is alone keeps nobody waiting, and has as many inside as there are places: the fewer are inside, the more
// often the process sleeps and wakes between them. What enters a plugin is not counted here: it waits in the plugin's own
// queue, and one that hangs must not hold up everything else.
import type { DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import { FairQueue, type Leave } from '../../sandbox/fair-queue.ts'

export interface RequestTurnLimits {
  readonly perTenant: number
  /** Of all tenants, in this process. */
  readonly inAll: number
  /** How long nobody else has asked before a tenant is taken to be alone: 2 s. */
  readonly aloneAfterMs?: number
}

/** Longer than a burst takes; who has waited for so long is better told to come back. */
const waitMs = 10_000
const waitingPerTenant = 1_000
const insideAndWaiting = 4_000

export class RequestTurns {
  readonly #queue: FairQueue
  /** Done, with somebody waiting for the place. */
  readonly #leaving: Leave[] = []
  /** Who asked last. */
  #asking = ''
  /** When a request last came behind one of another tenant. */
  #mixedAt = Number.NEGATIVE_INFINITY

  constructor({ perTenant, inAll, aloneAfterMs = 2_000 }: RequestTurnLimits, off: DefencesOff) {
    const most = off.has('requestTurns') ? Number.POSITIVE_INFINITY : perTenant
    const isAlone = () => performance.now() - this.#mixedAt > aloneAfterMs
    this.#queue = new FairQueue({
      get perTenant() {
        return isAlone() ? Number.POSITIVE_INFINITY : most
      },
      perPlugin: inAll,
      waitingPerTenant,
      invocationsAtOnce: insideAndWaiting,
    })
  }

  /** Of every request of a tenant, also of one that waits elsewhere: whoever else asks is not alone. */
  saw(tenantId: string): void {
    if (tenantId === this.#asking) return
    this.#asking = tenantId
    this.#mixedAt = performance.now()
  }

  /** @throws OVERLOADED when too many wait already, or the tenant's turn did not come in time */
  async run<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    const cameAt = performance.now()
    const leave = await this.#queue.enter(tenantId, waitMs)
    if (!leave) throw errors.overloaded({ waitedMs: Math.round(performance.now() - cameAt) })
    try {
      return await work()
    } finally {
      this.#giveBack(leave)
    }
  }

  /**
   * One comes in at each turn of the event loop. If all did whose place became free in it, each step of everybody else's
   * requests would wait until all of them had begun (bench/results.md, Fairness).
   */
  #giveBack(leave: Leave): void {
    if (this.#queue.waiting === 0) {
      leave()
      return
    }
    this.#leaving.push(leave)
    if (this.#leaving.length === 1) setImmediate(this.#letNextIn)
  }

  readonly #letNextIn = (): void => {
    this.#leaving.shift()?.()
    if (this.#leaving.length > 0) setImmediate(this.#letNextIn)
  }
}
