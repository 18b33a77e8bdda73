// What an entry that failed means: isolated-vm tells it apart by the words of its errors alone.
import type { HandlerFailure } from '../protocol/envelope.ts'
import type { GuestLimits } from '../protocol/limits.ts'

const longestMessage = 4_000
const longestStack = 4_000

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, longestMessage)

/** The frames inside the isolate; those of this host come after it and are no business of the plugin's. */
const stackOf = (error: unknown): string =>
  error instanceof Error && typeof error.stack === 'string'
    ? (error.stack.split(/\n\s+at \(<isolated-vm boundary>\)/)[0] ?? '').slice(0, longestStack)
    : ''

export interface EndOfEntry {
  readonly error: unknown
  /** The isolate was gone before anybody here disposed it: V8 gave up for lack of memory. */
  readonly isLost: boolean
  readonly cpuMs: number
  readonly cpuCap: number
}

export function failureOfEntry(end: EndOfEntry, { memoryMb }: GuestLimits): HandlerFailure {
  const message = messageOf(end.error)
  if (/memory limit/i.test(message) || end.isLost)
    return { kind: 'limit', limit: 'memory', used: memoryMb, cap: memoryMb }
  if (/timed out|terminated|disposed/i.test(message))
    return { kind: 'limit', limit: 'cpu', used: Math.max(end.cpuMs, end.cpuCap), cap: end.cpuCap }
  return { kind: 'threw', message, stack: stackOf(end.error) }
}
