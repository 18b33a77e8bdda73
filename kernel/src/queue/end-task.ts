// How tasks end that were not done: tried again later, a dead letter, skipped. Each only while the attempt is still this one.
import type pg from 'pg'
import { errors, isPlinthError } from '../errors.ts'
import type { Task } from './task.ts'

export interface RetryTimes {
  readonly firstMs: number
  readonly longestMs: number
}

/** A fifth more or less, so that what failed together is not tried again together. */
const jitter = 0.2

/** Before the attempt after this one. */
export function backoffMs(attempt: number, { firstMs, longestMs }: RetryTimes, random = Math.random): number {
  const planned = Math.min(firstMs * 2 ** Math.min(attempt - 1, 30), longestMs)
  return Math.round(planned * (1 - jitter + 2 * jitter * random()))
}

const longestMessage = 2_000

/** What is told of a failure: of what a plugin threw, its own words. */
export function failureOf(error: unknown): { code: string; message: string } {
  const cut = (text: string) => text.slice(0, longestMessage)
  if (!isPlinthError(error)) {
    const { code, message } =
      typeof error === 'object' && error !== null
        ? (error as { code?: unknown; message?: unknown })
        : { code: undefined, message: error }
    return { code: typeof code === 'string' ? code : errors.internal.code, message: cut(String(message)) }
  }
  const { cause } = error
  const own = error.code === errors.pluginFailed.code && cause instanceof Error ? cause.message : undefined
  return { code: error.code, message: cut(own ?? error.message) }
}

const fail = `
  UPDATE kernel.task
     SET state = CASE WHEN cancel_asked_at IS NULL THEN $4 ELSE 'cancelled' END, ready = false, run_at = now() + $5 * interval '1 millisecond', lease_until = NULL, worker = NULL,
         ended_at = CASE WHEN $4 = 'dead' OR cancel_asked_at IS NOT NULL THEN now() END,
         error = jsonb_build_object('code', $6::text, 'message', $7::text, 'at', now())
   WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'
  RETURNING state`

const postpone = `
  UPDATE kernel.task
     SET state = 'waiting', ready = false, run_at = now() + $4 * interval '1 millisecond', attempt = attempt - 1,
         lease_until = NULL, worker = NULL
   WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`

const skip = `
  UPDATE kernel.task SET state = 'skipped', ended_at = now(), lease_until = NULL
   WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`

const cancel = `
  UPDATE kernel.task SET state = 'cancelled', ended_at = now(), lease_until = NULL, worker = NULL
   WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`

type Failed = 'waiting' | 'dead' | 'cancelled'

export interface Endings {
  fail(task: Task, error: unknown, isFinal: boolean): Promise<Failed>
  /** As if it had not been begun. */
  postpone(task: Task, ms: number): Promise<void>
  skip(task: Task): Promise<void>
  /** Somebody had asked for that. */
  cancel(task: Task): Promise<void>
}

export function createEndings(pool: Pick<pg.Pool, 'query'>, times: RetryTimes): Endings {
  return {
    async fail(task, error, isFinal) {
      const { tenant, id, attempt, attemptsMax } = task
      const state = isFinal || attempt >= attemptsMax ? 'dead' : 'waiting'
      const { code, message } = failureOf(error)
      // NUL is the one character that text in PostgreSQL cannot hold.
      const told = message.replaceAll('\0', '')
      const values = [tenant, id, attempt, state, backoffMs(attempt, times), code, told]
      const { rows } = await pool.query<{ state: Failed }>(fail, values)
      return rows[0]?.state ?? state
    },
    async postpone({ tenant, id, attempt }, ms) {
      await pool.query(postpone, [tenant, id, attempt, ms])
    },
    async skip({ tenant, id, attempt }) {
      await pool.query(skip, [tenant, id, attempt])
    },
    async cancel({ tenant, id, attempt }) {
      await pool.query(cancel, [tenant, id, attempt])
    },
  }
}
