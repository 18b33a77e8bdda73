// Taking tasks, and giving back those that were not begun. What may be taken stands in kernel.claim_tasks.
import type pg from 'pg'
import { stateRules } from '../tenants/tenant-states.ts'
import { type Lane, moduleOfQueue, type Task, type TaskRow, taskFromRow } from './task.ts'

export const workingStates = Object.entries(stateRules).flatMap(([state, { jobs }]) => (jobs ? [state] : []))

/** What a task is made from, of those that a function of the database has claimed. */
export const claimStatement = (claimed: string): string => `
  SELECT t.tenant_id, t.id, t.kind, t.queue, t.lane, t.module, t.name, t.event_id, t.input, t.subject, t.depth, t.attempt,
         t.attempts_max, t.actor, t.on_behalf_of, t.request_id, t.traceparent, t.created_at,
         o.at AS event_at, o.payload, o.version
    FROM ${claimed} t
    LEFT JOIN kernel.outbox o ON o.tenant_id = t.tenant_id AND o.id = t.event_id
   ORDER BY t.priority, t.id`
const claim = claimStatement('kernel.claim_tasks($1, $2, $3, $4, $5, $6, $7, $8)')

const giveBack = `
  UPDATE kernel.task SET state = 'waiting', attempt = attempt - 1, lease_until = NULL, worker = NULL
   WHERE tenant_id = $1 AND id = ANY($2) AND worker = $3 AND state = 'running'`

export interface Claims {
  /** The lane's next tasks, in the order in which they are to be done. */
  claim(lane: Lane, most: number): Promise<Task[]>
  /** Of one tenant. They are as if they had not been taken. */
  giveBack(tasks: readonly Task[]): Promise<void>
}

export function createClaims(pool: Pick<pg.Pool, 'query'>, worker: string, lease: number): Claims {
  return {
    async claim({ queue, tenant, lane }, most) {
      const { rows } = await pool.query<TaskRow>({
        name: 'plinth_claim',
        text: claim,
        values: [queue, tenant, lane, moduleOfQueue(queue) ?? null, workingStates, most, worker, lease],
      })
      return rows.map(taskFromRow)
    },
    async giveBack(tasks) {
      const [first] = tasks
      if (!first) return
      await pool.query(giveBack, [first.tenant, tasks.map(({ id }) => id), worker])
    },
  }
}
