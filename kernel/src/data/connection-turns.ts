// Who waits for a database connection: tenants in turns, so that one who asks for a hundred does not keep the others
// waiting behind them.
import { errors } from '../errors.ts'
import type { DataConnection } from './data-connection.ts'

export interface TurnLimits {
  readonly waitMs: number
  /** Callers of all tenants. */
  readonly queue: number
  /** False: whoever comes first is served first, whose ever he is. */
  readonly inTurns: boolean
}

/** Whose it is, and whether for one statement or for a unit of work. */
export interface Wish {
  readonly tenant: string
  readonly isRead: boolean
}

interface Waiter {
  readonly wish: Wish
  take(connection: DataConnection): void
  refuse(error: unknown): void
}

export class ConnectionTurns {
  readonly #limits: TurnLimits
  /** Whose turn it is stands first. */
  readonly #turns = new Map<string, Set<Waiter>>()
  #size = 0

  constructor(limits: TurnLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  /** @throws OVERLOADED after `waitMs`, or when too many wait already */
  wait(wish: Wish): Promise<DataConnection> {
    const { waitMs, inTurns } = this.#limits
    const key = inTurns ? wish.tenant : ''
    if (!this.#makeRoom(this.#turns.get(key)?.size ?? 0)) {
      return Promise.reject(errors.overloaded({ waitedMs: 0 }))
    }
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        this.#leave(key, waiter)
      }
      const waiter: Waiter = {
        wish,
        take(connection) {
          settle()
          resolve(connection)
        },
        refuse(error) {
          settle()
          reject(error)
        },
      }
      const timer = setTimeout(() => waiter.refuse(errors.overloaded({ waitedMs: waitMs })), waitMs)
      const waiting = this.#turns.get(key) ?? new Set()
      this.#turns.set(key, waiting)
      waiting.add(waiter)
      this.#size += 1
    })
  }

  /** Gives it to the next whom `mayHave` does not pass over, and says what he wished; undefined when there is none. */
  give(connection: DataConnection, mayHave: (wish: Wish) => boolean): Wish | undefined {
    for (const [key, waiting] of this.#turns) {
      const [next] = waiting
      if (!next || !mayHave(next.wish)) continue
      // To the end of the line, if he has more.
      this.#turns.delete(key)
      this.#turns.set(key, waiting)
      next.take(connection)
      return next.wish
    }
    return undefined
  }

  refuseFirst(error: unknown): void {
    for (const [next] of this.#turns.values()) {
      next?.refuse(error)
      return
    }
  }

  refuseAll(error: unknown): void {
    for (const waiting of [...this.#turns.values()]) for (const one of [...waiting]) one.refuse(error)
  }

  /** When all places are taken, who waits with most gives up his last, if he has more than the one who comes. */
  #makeRoom(own: number): boolean {
    if (this.#size < this.#limits.queue) return true
    const [longest] = [...this.#turns.values()].sort((a, b) => b.size - a.size)
    if (!longest || longest.size <= own + 1) return false
    const last = [...longest].at(-1)
    last?.refuse(errors.overloaded({ waitedMs: 0 }))
    return true
  }

  #leave(key: string, waiter: Waiter): void {
    const waiting = this.#turns.get(key)
    if (!waiting?.delete(waiter)) return
    this.#size -= 1
    if (waiting.size === 0) this.#turns.delete(key)
  }
}
