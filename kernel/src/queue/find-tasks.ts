// Which tasks somebody means, and a page of them.
import type pg from 'pg'
import { errors } from '../errors.ts'
import { type TaskRow, type TaskState, type TaskView, taskColumns, taskView } from './task-view.ts'

export interface TaskFilter {
  /** Id. */
  readonly tenant?: string
  readonly queue?: string
  readonly module?: string
  readonly name?: string
  readonly state?: TaskState
  /** Of the last failure. */
  readonly code?: string
  /** Created before it, RFC 3339. */
  readonly before?: string
}

/** The condition of a filter, whose values are `$1` to `$7`. */
export const isMeant = `($1::uuid IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR queue = $2)
  AND ($3::text IS NULL OR module = $3) AND ($4::text IS NULL OR name = $4) AND ($5::text IS NULL OR state = $5)
  AND ($6::text IS NULL OR error->>'code' = $6) AND ($7::timestamptz IS NULL OR created_at < $7)`

export const valuesOf = ({ tenant, queue, module, name, state, code, before }: TaskFilter) =>
  [tenant, queue, module, name, state, code, before].map((value) => value ?? null)

/** Newest first; the cursor is the id of the last one of the page before. */
export async function listTasks(
  pool: Pick<pg.Pool, 'query'>,
  filter: TaskFilter,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: TaskView[]; cursor?: string }> {
  const { rows } = await pool.query<TaskRow>(
    `SELECT ${taskColumns} FROM kernel.task WHERE ${isMeant} AND ($8::bigint IS NULL OR id < $8)
      ORDER BY id DESC LIMIT $9`,
    [...valuesOf(filter), page.cursor ?? null, page.limit + 1],
  )
  const items = rows.slice(0, page.limit).map(taskView)
  const last = items.at(-1)
  return rows.length > page.limit && last ? { items, cursor: last.id } : { items }
}

/** @throws TASK_NOT_FOUND */
export async function getTask(
  pool: Pick<pg.Pool, 'query'>,
  { tenant, id }: { readonly tenant: string; readonly id: string },
): Promise<TaskView> {
  const { rows } = await pool.query<TaskRow>(
    `SELECT ${taskColumns} FROM kernel.task WHERE tenant_id = $1 AND id = $2`,
    [tenant, id],
  )
  const [row] = rows
  if (!row) throw errors.taskNotFound({ task: id })
  return taskView(row)
}
