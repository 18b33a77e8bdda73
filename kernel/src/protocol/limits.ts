// The limits a host and its guests are told when they load. Values are in `sandbox/limits.ts`; the names that can be
// exceeded are wire names.

export interface GuestLimits {
  /** CPU of one uninterrupted stretch of plugin code; on the wall it may take `wallPerCpu` times that. */
  readonly entryMs: number
  /** CPU of evaluating the bundle, once per tenant. */
  readonly loadMs: number
  /** How much longer than its CPU an entry may take, on a machine that has others to serve. */
  readonly wallPerCpu: number
  readonly memoryMb: number
  readonly calls: number
  readonly callsInFlight: number
  readonly argumentBytes: number
  readonly resultBytes: number
  /** How deep arguments and results may nest. */
  readonly depth: number
  /** Timers that wait at once, and that are set in all. */
  readonly timers: number
  readonly timersSet: number
  readonly logLines: number
  readonly logCharacters: number
  /** Isolates kept per host, and for how long when nobody calls. */
  readonly isolates: number
  readonly isolateIdleMs: number
  /** Resident memory at which the host gives up isolates that nobody uses. */
  readonly pressureMb: number
}

export const limitNames = [
  'cpu',
  'memory',
  'calls',
  'callsInFlight',
  'argument',
  'result',
  'log',
  'timers',
  'depth',
] as const
export type LimitName = (typeof limitNames)[number]
