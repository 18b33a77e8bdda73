// What somebody decides on tasks that were given up: once more, or never.

import { errors } from '../errors.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { isMeant, type TaskFilter, valuesOf } from './find-tasks.ts'
import { type TaskRow, type TaskState, type TaskView, taskColumns, taskView } from './task-view.ts'

export type Settlement = 'retry' | 'discard'

const attemptsAnew = 12

/** What each does, and to which: a task that is running is nobody's but its process's. */
const settlements: Readonly<
  Record<Settlement, { readonly change: string; readonly of: readonly TaskState[] }>
> = {
  // Attempts are numbered on, so that one that was thought dead cannot commit as this one. The error stays to be seen until
  // the next, and another with its key may wait already.
  retry: {
    change: `state = 'waiting', attempts_max = attempt + ${attemptsAnew}, run_at = now(), ended_at = NULL,
             unique_key = NULL, cancel_asked_at = NULL`,
    of: ['dead'],
  },
  discard: { change: `state = 'cancelled', ended_at = now()`, of: ['dead', 'waiting'] },
}

/** Most that one call settles: who has more asks again. */
export const mostSettled = 10_000

/** @throws TASK_NOT_FOUND, TASK_STATE */
export async function settleTask(
  tx: ControlTransaction,
  what: Settlement,
  { tenant, id }: { readonly tenant: string; readonly id: string },
): Promise<TaskView> {
  const { change, of } = settlements[what]
  const [found] = await tx.query<{ state: TaskState }>(
    'SELECT state FROM kernel.task WHERE tenant_id = $1 AND id = $2 FOR UPDATE',
    [tenant, id],
  )
  if (!found) throw errors.taskNotFound({ task: id })
  if (!of.includes(found.state)) throw errors.taskState({ task: id, state: found.state, allowed: of })
  const [row] = await tx.query<TaskRow>(
    `UPDATE kernel.task SET ${change} WHERE tenant_id = $1 AND id = $2 RETURNING ${taskColumns}`,
    [tenant, id],
  )
  if (!row) throw errors.taskNotFound({ task: id })
  return taskView(row)
}

/** The oldest that are meant, `mostSettled` of them. Answers how many. */
export async function settleTasks(
  tx: ControlTransaction,
  what: Settlement,
  filter: Omit<TaskFilter, 'state'>,
): Promise<number> {
  const { change, of } = settlements[what]
  const rows = await tx.query(
    `WITH meant AS (
       SELECT tenant_id, id FROM kernel.task WHERE ${isMeant} AND state = ANY($8) ORDER BY id LIMIT $9 FOR UPDATE SKIP LOCKED)
     UPDATE kernel.task t SET ${change} FROM meant WHERE t.tenant_id = meant.tenant_id AND t.id = meant.id RETURNING t.id`,
    // In bulk only what was given up: what waits is on its way.
    [...valuesOf(filter), what === 'discard' ? ['dead'] : of, mostSettled],
  )
  return rows.length
}
