// The few globals beyond the language that ordinary libraries expect and that cost nothing to bound: console,
// structuredClone, queueMicrotask. Absent: timers, URL, text encoders, crypto, Intl, and everything that reaches out.
import type { LogLevel } from '../protocol/calls.ts'
import { structuredClone } from './clone.ts'
import { defineProperty } from './primordials.ts'

type Write = (level: LogLevel, message: string, data?: unknown) => void

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

export function provideGlobals(write: Write): void {
  const line =
    (level: LogLevel) =>
    (...said: unknown[]): void =>
      write(level, said.map(textOf).join(' '))
  const provided: Readonly<Record<string, unknown>> = {
    console: {
      debug: line('debug'),
      log: line('info'),
      info: line('info'),
      warn: line('warn'),
      error: line('error'),
      trace: line('debug'),
    },
    structuredClone,
    queueMicrotask: (run: () => void): void => {
      void Promise.resolve().then(run)
    },
  }
  for (const [name, value] of Object.entries(provided)) {
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
  }
}
