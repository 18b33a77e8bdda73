// A task as it is told: to the operator without what it holds, for that is the tenant's.

import type { TaskKind } from './task.ts'

export type TaskState = 'waiting' | 'running' | 'done' | 'dead' | 'cancelled' | 'skipped'

export interface TaskView {
  readonly tenant: string
  readonly id: string
  readonly kind: TaskKind
  readonly queue: string
  readonly module: string
  /** The event's full name, or the job's key. */
  readonly name: string
  readonly state: TaskState
  readonly attempt: number
  readonly attemptsMax: number
  /** When it is due, or was. */
  readonly runAt: string
  readonly createdAt: string
  readonly startedAt?: string
  readonly endedAt?: string
  /** Why the last attempt failed. */
  readonly error?: { readonly code: string; readonly message: string }
  readonly requestId: string
  readonly traceparent?: string
}

export interface TaskRow {
  tenant_id: string
  id: string
  kind: TaskKind
  queue: string
  module: string
  name: string
  state: TaskState
  attempt: number
  attempts_max: number
  run_at: Date
  created_at: Date
  started_at: Date | null
  ended_at: Date | null
  error: { code: string; message: string } | null
  request_id: string
  traceparent: string | null
}

export const taskColumns = `tenant_id, id::text, kind, queue, module, name, state, attempt, attempts_max, run_at,
  created_at, started_at, ended_at, error, request_id, traceparent`

export const taskView = (row: TaskRow): TaskView => ({
  tenant: row.tenant_id,
  id: row.id,
  kind: row.kind,
  queue: row.queue,
  module: row.module,
  name: row.name,
  state: row.state,
  attempt: row.attempt,
  attemptsMax: row.attempts_max,
  runAt: row.run_at.toISOString(),
  createdAt: row.created_at.toISOString(),
  ...(row.started_at === null ? {} : { startedAt: row.started_at.toISOString() }),
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at.toISOString() }),
  ...(row.error === null ? {} : { error: { code: row.error.code, message: row.error.message } }),
  requestId: row.request_id,
  ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
})
