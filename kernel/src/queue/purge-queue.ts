// What is kept no longer: events that were dispatched, and tasks that ended.
import type pg from 'pg'
import type { Logger } from 'pino'
import { repeat } from '../tenants/repeat.ts'

const atOnce = 5_000

/** Not one that somebody has yet to act on. $1 days. */
const oldEvents = `
  DELETE FROM kernel.outbox WHERE (tenant_id, id) IN (
    SELECT o.tenant_id, o.id FROM kernel.outbox o
     WHERE o.dispatched_at IS NOT NULL AND o.at < now() - $1 * interval '1 day'
       AND NOT EXISTS (SELECT FROM kernel.task t WHERE t.tenant_id = o.tenant_id AND t.event_id = o.id AND t.ended_at IS NULL)
     ORDER BY o.at LIMIT ${atOnce})`

const oldTasks = `
  DELETE FROM kernel.task WHERE (tenant_id, id) IN (
    SELECT t.tenant_id, t.id FROM kernel.task t
     WHERE t.ended_at < now() - $1 * interval '1 day' ORDER BY t.ended_at LIMIT ${atOnce})`

export interface KeptDays {
  readonly eventDays: number
  readonly taskDays: number
}

/** How many rows went. */
export async function purgeQueue(pool: Pick<pg.Pool, 'query'>, days: KeptDays): Promise<number> {
  let gone = 0
  // Tasks first: a dead letter that goes lets go of its event.
  for (const [text, kept] of [
    [oldTasks, days.taskDays],
    [oldEvents, days.eventDays],
  ] as const) {
    for (let rows = atOnce; rows === atOnce; gone += rows) {
      rows = (await pool.query(text, [kept])).rowCount ?? 0
    }
  }
  return gone
}

export const startPurge = (pool: Pick<pg.Pool, 'query'>, days: KeptDays, log: Logger) =>
  repeat('purge of the queue', () => purgeQueue(pool, days), log)
