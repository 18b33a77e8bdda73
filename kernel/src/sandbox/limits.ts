// What bounds a host and the isolates in it, the same for everybody. What a request may use, which a plan or an operator
// may raise, is in entitlements/governor-limits.ts.
import { governorLimits } from '../entitlements/governor-limits.ts'
import type { GuestLimits } from '../protocol/limits.ts'

export interface HostLimits {
  /** Resident memory at which the kernel kills a host; V8's own limit is a hint that buffers and strings escape. */
  readonly rssMb: number
  readonly rssPollMs: number
  /** The host's own heap, not the isolates'. */
  readonly heapMb: number
  readonly startMs: number
  readonly heartbeatMs: number
  readonly heartbeatsMissed: number
  /** How long closing waits for invocations in flight. */
  readonly drainMs: number
  readonly invocationsAtOnce: number
  readonly manifestBytes: number
  readonly answerBytes: number
}

export interface CircuitLimits {
  /** So many deaths within the time open the circuit. */
  readonly kills: number
  readonly withinMs: number
  readonly openMs: number
  readonly longestOpenMs: number
  /** Wait before the first restart; each further one within the time waits four times as long. */
  readonly backoffMs: number
}

export interface SandboxLimits {
  readonly guest: GuestLimits
  readonly host: HostLimits
  readonly circuit: CircuitLimits
}

const guest: GuestLimits = Object.freeze({
  entryMs: 250,
  loadMs: 1_000,
  memoryMb: 64,
  calls: governorLimits.calls.request,
  callsInFlight: 50,
  argumentBytes: 256 * 1024,
  resultBytes: governorLimits.result.request,
  depth: 64,
  timers: 100,
  timersSet: 1_000,
  logLines: 100,
  logCharacters: 256 * 1024,
  isolates: 100,
  isolateIdleMs: 5 * 60_000,
})

const host: HostLimits = Object.freeze({
  rssMb: 512,
  rssPollMs: 100,
  heapMb: 256,
  startMs: 10_000,
  heartbeatMs: 1_000,
  heartbeatsMissed: 3,
  drainMs: 10_000,
  invocationsAtOnce: 1_000,
  manifestBytes: 256 * 1024,
  answerBytes: 8 * 1024 * 1024,
})

const circuit: CircuitLimits = Object.freeze({
  kills: 3,
  withinMs: 60_000,
  openMs: 30_000,
  longestOpenMs: 10 * 60_000,
  backoffMs: 50,
})

export const defaultLimits = Object.freeze({
  guest,
  host,
  circuit,
})
