// What every instance does to every request beside carrying it out.
import type { CurrentRequest } from '../../data/idempotent-request.ts'
import type { Cors } from './cors.ts'
import type { Idempotency } from './idempotency.ts'
import type { Pressure } from './pressure.ts'
import type { RateLimits } from './rate-limits.ts'
import type { RequestTurns } from './request-turns.ts'

export interface Hygiene {
  readonly turns: RequestTurns
  readonly idempotency: Idempotency
  readonly pressure: Pressure
  readonly rates: RateLimits
  readonly cors: Cors
  /** Whose transaction it is that is opened. */
  readonly current: CurrentRequest
}
