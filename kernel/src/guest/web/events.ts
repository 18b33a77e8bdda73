// Event, EventTarget, AbortController and AbortSignal, as small as libraries that can be cancelled need them: no
// phases, no tree. Listeners are called in the order they came, and what one throws goes to console.error.
import { push } from '../primordials.ts'
import { DOMException } from './dom-exception.ts'

export class Event {
  readonly type: string
  readonly cancelable: boolean
  target: EventTarget | null = null
  defaultPrevented = false
  /** Whether stopImmediatePropagation was called. */
  isStopped = false

  constructor(type: unknown, options: { cancelable?: boolean } = {}) {
    this.type = String(type)
    this.cancelable = Boolean(options.cancelable)
    Object.defineProperty(this, 'isStopped', { enumerable: false })
  }

  get currentTarget(): EventTarget | null {
    return this.target
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    this.isStopped = true
  }
}

type Listener = ((event: Event) => void) | { handleEvent(event: Event): void }

interface Listening {
  readonly type: string
  readonly listener: Listener
  readonly once: boolean
}

export class EventTarget {
  #listening: readonly Listening[] = []

  addEventListener(
    type: string,
    listener: Listener | null,
    options: boolean | { once?: boolean; signal?: AbortSignal } = {},
  ): void {
    if (!listener) return
    const { once = false, signal }: { once?: boolean; signal?: AbortSignal } =
      typeof options === 'object' ? options : {}
    if (signal?.aborted || this.#listening.some((one) => one.type === type && one.listener === listener))
      return
    this.#listening = [...this.#listening, { type, listener, once }]
    signal?.addEventListener('abort', () => this.removeEventListener(type, listener), { once: true })
  }

  removeEventListener(type: string, listener: Listener | null): void {
    this.#listening = this.#listening.filter((one) => one.type !== type || one.listener !== listener)
  }

  dispatchEvent(event: Event): boolean {
    event.target = this
    for (const one of this.#listening) {
      if (one.type !== event.type || event.isStopped) continue
      if (one.once) this.removeEventListener(one.type, one.listener)
      try {
        if (typeof one.listener === 'function') one.listener.call(this, event)
        else one.listener.handleEvent(event)
      } catch (error) {
        console.error(error)
      }
    }
    return !event.defaultPrevented
  }
}

const abortOf = (signal: AbortSignal, reason: unknown): void => signals.abort(signal, reason)
// Set by the class's static block: the one way to abort a signal, which a signal itself does not offer.
const signals: { abort: (signal: AbortSignal, reason: unknown) => void } = { abort: () => undefined }

export class AbortSignal extends EventTarget {
  #aborted = false
  #reason: unknown
  onabort: ((event: Event) => void) | null = null

  static {
    signals.abort = (signal, reason) => {
      if (signal.#aborted) return
      signal.#aborted = true
      signal.#reason = reason ?? new DOMException('This operation was aborted', 'AbortError')
      const event = new Event('abort')
      signal.onabort?.(event)
      signal.dispatchEvent(event)
    }
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = new AbortSignal()
    abortOf(signal, reason)
    return signal
  }

  static timeout(ms: number): AbortSignal {
    const signal = new AbortSignal()
    setTimeout(
      () => abortOf(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
      ms,
    )
    return signal
  }

  static any(all: Iterable<AbortSignal>): AbortSignal {
    const signal = new AbortSignal()
    const known: AbortSignal[] = []
    for (const one of all) push(known, one)
    for (const one of known) {
      if (one.aborted) abortOf(signal, one.reason)
      else one.addEventListener('abort', () => abortOf(signal, one.reason), { once: true })
    }
    return signal
  }

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason
  }
}

export class AbortController {
  readonly signal = new AbortSignal()

  abort(reason?: unknown): void {
    abortOf(this.signal, reason)
  }
}
