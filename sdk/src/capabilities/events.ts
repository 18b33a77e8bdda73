// Capability: telling others what happened.

import type { Fields, In } from '../fields/field.ts'

export interface EventsCapability<Ev> {
  /** Tells subscribers, after and only if this invocation commits. Payloads are facts and ids, never records. */
  emit<K extends keyof Ev & string>(
    event: K,
    payload: Ev[K] extends Fields ? In<Ev[K]> : never,
  ): Promise<void>
}
