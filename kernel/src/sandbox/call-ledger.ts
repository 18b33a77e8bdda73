// What one invocation has asked of the kernel. The guest counts too, and stops sooner; this counts for the case that the
// guest, or the host around it, was tampered with.
import type { PlinthError } from '../errors.ts'
import { errors } from '../errors.ts'
import type { CallName } from '../protocol/calls.ts'
import type { GuestLimits, LimitName } from '../protocol/limits.ts'

/** The guest counts the characters of a line, and one line past its limit is written: no honest one comes near this. */
const logBytesPerCharacter = 4

export class CallLedger {
  readonly #module: string
  readonly #limits: GuestLimits
  /** What the kernel answered to calls it refused, by call. */
  readonly #refused = new Map<number, unknown>()
  #calls = 0
  #inFlight = 0
  #logLines = 0
  #logBytes = 0

  constructor(module: string, limits: GuestLimits) {
    this.#module = module
    this.#limits = limits
  }

  /** Undefined when it may be answered; otherwise the invocation is over. */
  count(name: CallName, bytes: number): PlinthError | undefined {
    const { argumentBytes, calls, callsInFlight, logLines, logCharacters } = this.#limits
    if (name === 'log.write') {
      this.#logLines += 1
      this.#logBytes += bytes
      return (
        this.#over('log', this.#logLines, logLines) ??
        this.#over('log', this.#logBytes, logCharacters * logBytesPerCharacter)
      )
    }
    this.#calls += 1
    this.#inFlight += 1
    return (
      this.#over('argument', bytes, argumentBytes) ??
      this.#over('calls', this.#calls, calls) ??
      this.#over('callsInFlight', this.#inFlight, callsInFlight)
    )
  }

  /**
   * Undefined when it may be given to the caller. What is still being carried out would go on beside the commit: the guest
   * says so first.
   */
  checkResult(bytes: number): PlinthError | undefined {
    if (this.#inFlight > 0) {
      const cause = new Error(`It ended while ${this.#inFlight} of its calls were still running.`)
      return errors.pluginFailed({ module: this.#module }, cause)
    }
    return this.#over('result', bytes, this.#limits.resultBytes)
  }

  answered(): void {
    this.#inFlight -= 1
  }

  refuse(call: number, error: unknown): void {
    this.#refused.set(call, error)
  }

  refusalOf(call: number): unknown {
    return this.#refused.get(call)
  }

  #over(limit: LimitName, used: number, cap: number): PlinthError | undefined {
    return used > cap ? errors.limitExceeded({ module: this.#module, limit, used, cap }) : undefined
  }
}
