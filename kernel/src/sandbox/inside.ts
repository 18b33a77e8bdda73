// The invocations inside one host process, by the number the host knows them by.

import type { GuestLimits } from '../protocol/limits.ts'
import { CallLedger } from './call-ledger.ts'
import type { HostInvocation } from './plugin-host.ts'

export interface Running extends HostInvocation {
  readonly resolve: (value: string) => void
  readonly reject: (error: unknown) => void
  readonly ledger: CallLedger
}

interface Entered {
  readonly one: Running
  readonly deadline: NodeJS.Timeout
  readonly forget: (() => void) | undefined
}

export class Inside {
  readonly #limits: GuestLimits
  readonly #entered = new Map<number, Entered>()
  #next = 1

  constructor(limits: GuestLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#entered.size
  }

  /** The number it has from now on, and its answer. `onLate` also when its request has ended without it. */
  enter(invocation: HostInvocation, onLate: (id: number) => void): { id: number; answer: Promise<string> } {
    const id = this.#next
    this.#next += 1
    const answer = new Promise<string>((resolve, reject) => {
      const ledger = new CallLedger(invocation.module, this.#limits)
      const deadline = setTimeout(onLate, invocation.limits.wallMs, id)
      const forget = invocation.onEnd?.(() => onLate(id))
      this.#entered.set(id, { one: { ...invocation, resolve, reject, ledger }, deadline, forget })
    })
    return { id, answer }
  }

  get(id: number): Running | undefined {
    return this.#entered.get(id)?.one
  }

  take(id: number): Running | undefined {
    const entered = this.#entered.get(id)
    if (!entered) return undefined
    this.#entered.delete(id)
    clearTimeout(entered.deadline)
    entered.forget?.()
    return entered.one
  }

  takeAll(): readonly Running[] {
    return [...this.#entered.keys()].flatMap((id) => this.take(id) ?? [])
  }

  onlyTenant(): string | undefined {
    const tenants = new Set([...this.#entered.values()].map(({ one }) => one.tenant))
    const [tenant] = tenants
    return tenants.size === 1 ? tenant : undefined
  }
}
