// What a token turned out to be, as it is kept in memory.
import type { Actor, Identified } from '../stages.ts'

export interface Credential extends Pick<Identified, 'tenantClaim' | 'vouchedBy' | 'scopes'> {
  readonly kind: Identified['credential']
  readonly actor: Actor
  /** In milliseconds of the clock; absent: the session says. */
  readonly expiresAt?: number
  /** Absent: from anywhere. */
  readonly mayCallFrom?: (address: string) => boolean
}
