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
  /** Of one plugin, waiting ones too. */
  readonly invocationsAtOnce: number
  /** Inside at once, of one plugin and of one tenant in it; further ones wait in turns. */
  readonly perPlugin: number
  readonly perTenant: number
  readonly waitingPerTenant: number
  /** A host that nobody asked for anything so long is ended, until somebody does. */
  readonly idleMs: number
  /** Processes of one plugin whose tenants have a process each. */
  readonly hostsPerPlugin: number
  /** Messages for nobody that a host may send between two heartbeats, and their bytes: late ones are no fault. */
  readonly strayMessages: number
  readonly strayBytes: number
  /** What a host may write to the kernel's log by itself, in its life. */
  readonly stderrBytes: number
  readonly answerBytes: number
}

export interface CircuitLimits {
  /** So many deaths within the time open the circuit, each time for twice as long, until it has been quiet for a while. */
  readonly kills: number
  readonly withinMs: number
  readonly openMs: number
  readonly longestOpenMs: number
  readonly quietMs: number
}

export interface CircuitsLimits {
  /** Deaths of a plugin's host that were nobody's fault or everybody's. */
  readonly plugin: CircuitLimits
  /** All deaths of a plugin's host: many tenants, each within his own limit, are too many together. */
  readonly all: CircuitLimits
  /** Deaths that one tenant caused. */
  readonly pair: CircuitLimits
  /** Wait before the first restart; each further one that no tenant caused waits four times as long. */
  readonly backoffMs: number
  /** Tenants of one plugin whose deaths are remembered. */
  readonly pairs: number
}

export interface SandboxLimits {
  readonly guest: GuestLimits
  readonly host: HostLimits
  readonly circuit: CircuitsLimits
}

const guest: GuestLimits = Object.freeze({
  entryMs: 250,
  loadMs: 1_000,
  wallPerCpu: 4,
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
  pressureMb: 384,
})

const host: HostLimits = Object.freeze({
  rssMb: 512,
  rssPollMs: 100,
  heapMb: 256,
  startMs: 10_000,
  heartbeatMs: 1_000,
  heartbeatsMissed: 3,
  drainMs: 10_000,
  invocationsAtOnce: 4_000,
  perPlugin: 32,
  perTenant: 4,
  waitingPerTenant: 100,
  idleMs: 10 * 60_000,
  hostsPerPlugin: 16,
  strayMessages: 10_000,
  strayBytes: 64 * 1024 * 1024,
  stderrBytes: 64 * 1024,
  answerBytes: 8 * 1024 * 1024,
})

const plugin: CircuitLimits = Object.freeze({
  kills: 3,
  withinMs: 60_000,
  openMs: 30_000,
  longestOpenMs: 10 * 60_000,
  quietMs: 10 * 60_000,
})

const circuit: CircuitsLimits = Object.freeze({
  plugin,
  all: Object.freeze({ ...plugin, kills: 30 }),
  pair: Object.freeze({ ...plugin, kills: 5 }),
  backoffMs: 50,
  pairs: 1_000,
})

export const defaultLimits = Object.freeze({
  guest,
  host,
  circuit,
})
