// Where a request to an account comes from, as it is written beside what it did.
import type { Arrival } from '../stages.ts'

export interface Origin extends Arrival {
  readonly userAgent?: string
}
