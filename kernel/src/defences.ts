// The walls by name, so that a test can take one down and see its attack succeed: that shows that the test looks.
// No setting, no file and no message reaches this; only a caller in code, and outside tests there is none.

export type Defence =
  /** Globals that no limit can hold are taken from the isolate. */
  | 'guestGlobals'
  /** Each entry into an isolate has a limit of CPU and a timeout. */
  | 'entryTimeout'
  /** An entry that has not returned loses its isolate, then its host. */
  | 'watchdog'
  /** The kernel kills a host that takes too much resident memory. */
  | 'residentMemory'
  /** What a host sends is bounded before it is kept. */
  | 'frameLimits'
  /** Every field of what a host sends is checked. */
  | 'messageParsing'
  /** A host that says nothing for a while is killed. */
  | 'heartbeat'
  /** The kernel counts the calls of an invocation, as the guest does. */
  | 'callLimits'
  /** A tenant has a few invocations in a plugin at once; others wait in turns. */
  | 'fairQueue'

/** The walls that a test has taken down. */
export type DefencesOff = ReadonlySet<Defence>

export const allStand: DefencesOff = Object.freeze(new Set<Defence>())
