// `console`, into the log of the invocation: what is cheap of it. Groups and tables are lines like any other.
import type { LogLevel } from '../../protocol/calls.ts'
import { create, now } from '../primordials.ts'

export type Write = (level: LogLevel, message: string, data?: unknown) => void

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (value instanceof Error) return String(value.stack ?? value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}

const nothing = (): void => undefined

export function createConsole(write: Write): Readonly<Record<string, (...said: unknown[]) => void>> {
  const line =
    (level: LogLevel) =>
    (...said: unknown[]): void =>
      write(level, said.map(textOf).join(' '))
  const info = line('info')
  const counts: Record<string, number> = create(null)
  const started: Record<string, number> = create(null)
  const elapsed = (label: string): void => {
    const since = started[label]
    if (since !== undefined) info(`${label}: ${now() - since} ms`)
  }
  return {
    debug: line('debug'),
    log: info,
    info,
    warn: line('warn'),
    error: line('error'),
    trace: line('debug'),
    dir: (value) => info(value),
    table: (value) => info(value),
    group: (...said) => (said.length > 0 ? info(...said) : undefined),
    groupEnd: nothing,
    assert: (holds, ...said) => (holds ? undefined : line('error')('Assertion failed:', ...said)),
    count(label = 'default') {
      const name = String(label)
      counts[name] = (counts[name] ?? 0) + 1
      info(`${name}: ${counts[name]}`)
    },
    time(label = 'default') {
      started[String(label)] = now()
    },
    timeLog: (label = 'default') => elapsed(String(label)),
    timeEnd(label = 'default') {
      elapsed(String(label))
      delete started[String(label)]
    },
  }
}
