// The mark that a task is done, in the transaction of what it did. Somebody else may have taken the task meanwhile, because
// its lease ended: then the mark fails, and with it everything.
import type { Json } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { DatabaseFailure } from './database-failure.ts'
import { touchedNone, touchingOne } from './touching-one.ts'

/** The task that a unit of work does. */
export interface TaskInHand {
  readonly id: number
  readonly attempt: number
  /** How many events led to it. */
  readonly depth: number
  /** What it gave, kept with the mark. */
  result?: Json
}

/** $1 tenant, $2 task, $3 attempt, $4 result. */
export const markDone = touchingOne(`
  UPDATE kernel.task SET state = 'done', ended_at = now(), lease_until = NULL, result = $4
   WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`)

export const explainDone = (failure: DatabaseFailure): unknown =>
  touchedNone(failure) ? errors.taskTaken({}) : failure
