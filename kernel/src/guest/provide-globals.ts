// The globals beyond the language that ordinary libraries expect, each of them bounded. What is large is evaluated when
// it is first named. Absent: Intl, WebAssembly, shared memory, and everything that reaches out.
import { structuredClone } from './clone.ts'
import type { Invocation } from './invocation.ts'
import { defineProperty, deleteProperty, getOwnPropertyDescriptor, now } from './primordials.ts'
import { atob, btoa } from './web/base64.ts'
import { boundNormalize } from './web/bounded-text.ts'
import { createConsole } from './web/console.ts'
import { DOMException } from './web/dom-exception.ts'
import { AbortController, AbortSignal, Event, EventTarget } from './web/events.ts'
import { TextDecoder, TextEncoder } from './web/text-encoding.ts'
import { createTimers, type Timers } from './web/timers.ts'

/** The units that a plugin may never need, each a function that evaluates its script (see sandbox/build-scripts.ts). */
export interface LazyUnits {
  readonly urls: () => typeof import('./web/urls.ts')
  readonly cryptography: () => typeof import('./web/cryptography.ts')
}

function provide(name: string, value: unknown): void {
  defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}

/**
 * Evaluated once, by whoever names one of them first; who assigns one before that has what he assigned. All are gone
 * while the unit is evaluated: core-js looks whether the platform has them.
 */
function provideLazily(names: readonly string[], make: () => Readonly<Record<string, unknown>>): void {
  const open = (asked: string): unknown => {
    const waiting = names.filter((name) => getOwnPropertyDescriptor(globalThis, name)?.get !== undefined)
    for (const name of waiting) deleteProperty(globalThis, name)
    const unit = make()
    for (const name of waiting) provide(name, unit[name])
    return unit[asked]
  }
  for (const name of names) {
    defineProperty(globalThis, name, {
      get: () => open(name),
      set: (value: unknown) => provide(name, value),
      configurable: true,
      enumerable: false,
    })
  }
}

/** In whole milliseconds, as Date is: a finer clock would only serve to measure what others do. */
function createPerformance(): object {
  const timeOrigin = now()
  let last = 0
  const read = (): number => {
    last = Math.max(last, now() - timeOrigin)
    return last
  }
  return { timeOrigin, now: read }
}

export function provideGlobals(current: () => Invocation | undefined, seed: string, lazy: LazyUnits): Timers {
  const timers = createTimers(current)
  const provided: Readonly<Record<string, unknown>> = {
    console: createConsole((level, message) => current()?.log(level, message)),
    performance: createPerformance(),
    structuredClone,
    queueMicrotask: (run: () => void): void => {
      void Promise.resolve().then(run)
    },
    atob,
    btoa,
    TextEncoder,
    TextDecoder,
    DOMException,
    Event,
    EventTarget,
    AbortController,
    AbortSignal,
    ...timers.globals,
  }
  for (const [name, value] of Object.entries(provided)) provide(name, value)
  provideLazily(['URL', 'URLSearchParams'], () => ({ ...lazy.urls() }))
  provideLazily(['crypto'], () => ({ crypto: lazy.cryptography().createCrypto(seed) }))
  boundNormalize()
  return timers
}
