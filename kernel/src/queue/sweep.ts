// Looks each second, in one process at a time, for what nobody has a turn for: tasks whose time has come, tasks of a
// process that died, and lanes whose turn was lost with the store that had it. Nothing depends on a turn that was added.
import type pg from 'pg'
import type { Logger } from 'pino'
import { errors } from '../errors.ts'
import { repeat } from '../tenants/repeat.ts'
import { workingStates } from './claim-tasks.ts'
import type { RetryTimes } from './end-task.ts'
import type { Lane } from './task.ts'

const sweepLock = 0x706c_7377
const promotedAtOnce = 5_000
const lanesAtOnce = 500
const everyMs = 1_000

export const promote = `
  WITH due AS (
    SELECT tenant_id, id FROM kernel.task WHERE state = 'waiting' AND NOT ready AND run_at <= now()
     ORDER BY run_at, id LIMIT ${promotedAtOnce} FOR UPDATE SKIP LOCKED
  ), ready AS (
    UPDATE kernel.task t SET ready = true FROM due d WHERE t.tenant_id = d.tenant_id AND t.id = d.id
    RETURNING t.queue, t.tenant_id, t.lane)
  SELECT DISTINCT queue, tenant_id AS tenant, lane FROM ready`

/** $1 code and $2 message of their error, $3 and $4 the first and longest wait in ms. */
export const takeBack = `
  WITH lost AS (
    SELECT tenant_id, id FROM kernel.task WHERE state = 'running' AND lease_until < now()
     ORDER BY lease_until LIMIT ${promotedAtOnce} FOR UPDATE SKIP LOCKED)
  UPDATE kernel.task t
     SET state = CASE WHEN cancel_asked_at IS NOT NULL THEN 'cancelled' WHEN attempt >= attempts_max THEN 'dead' ELSE 'waiting' END,
         ended_at = CASE WHEN attempt >= attempts_max OR cancel_asked_at IS NOT NULL THEN now() END, lease_until = NULL, worker = NULL, ready = false,
         run_at = now() + least($3 * 2 ^ least(attempt - 1, 30), $4) * interval '1 millisecond',
         error = jsonb_build_object('code', $1::text, 'message', $2::text, 'at', now())
    FROM lost l WHERE t.tenant_id = l.tenant_id AND t.id = l.id`

/** From lane to lane through the index, whatever lies in them, behind the lane of $1, $2, $3. $4: states that work. */
export const findLanes = `
  WITH RECURSIVE lanes AS (
    (SELECT queue, tenant_id, lane FROM kernel.task
      WHERE state = 'waiting' AND ready AND (queue, tenant_id, lane) > ($1, $2::uuid, $3)
      ORDER BY queue, tenant_id, lane LIMIT 1)
    UNION ALL
    SELECT n.queue, n.tenant_id, n.lane FROM lanes l CROSS JOIN LATERAL (
      SELECT t.queue, t.tenant_id, t.lane FROM kernel.task t
       WHERE t.state = 'waiting' AND t.ready AND (t.queue, t.tenant_id, t.lane) > (l.queue, l.tenant_id, l.lane)
       ORDER BY t.queue, t.tenant_id, t.lane LIMIT 1) n
  ), page AS (SELECT * FROM lanes LIMIT ${lanesAtOnce})
  SELECT p.queue, p.tenant_id AS tenant, p.lane,
         t.state = ANY($4)
           AND (m.name IS NULL OR EXISTS (
             SELECT FROM kernel.tenant_module e WHERE e.tenant_id = p.tenant_id AND e.module = m.name))
           AND NOT EXISTS (
             SELECT FROM kernel.task_pause h
              WHERE (h.tenant_id IS NULL OR h.tenant_id = p.tenant_id) AND (h.module IS NULL OR h.module = m.name)) AS works
    FROM page p JOIN kernel.tenant t ON t.id = p.tenant_id
   CROSS JOIN LATERAL (SELECT nullif(split_part(p.queue, '.', 2), '') AS name) m
   ORDER BY 1, 2, 3`

export interface SweeperParts {
  readonly pool: pg.Pool
  readonly addTurns: (lanes: readonly Lane[]) => Promise<void>
  readonly times: RetryTimes
  readonly log: Logger
}

const start: Lane = { queue: '', tenant: '00000000-0000-0000-0000-000000000000', lane: '' }

export function startSweeper({ pool, addTurns, times, log }: SweeperParts) {
  let after = start

  /** In a transaction that has the lock. */
  async function sweep(client: pg.ClientBase): Promise<Lane[]> {
    const lost = errors.taskLost({})
    await client.query(takeBack, [lost.code, lost.message, times.firstMs, times.longestMs])
    const promoted = await client.query<Lane>(promote)
    const { rows } = await client.query<Lane & { works: boolean }>(findLanes, [
      after.queue,
      after.tenant,
      after.lane,
      workingStates,
    ])
    after = rows.length === lanesAtOnce ? (rows.at(-1) ?? start) : start
    const waiting = rows.flatMap(({ works, ...lane }) => (works ? [lane] : []))
    return [...promoted.rows, ...waiting]
  }

  return repeat(
    'sweep of the queue',
    async () => {
      const client = await pool.connect()
      let broken: Error | boolean = true
      let lanes: Lane[] = []
      try {
        await client.query('BEGIN')
        const { rows } = await client.query<{ mine: boolean }>(
          'SELECT pg_try_advisory_xact_lock($1) AS mine',
          [sweepLock],
        )
        if (rows[0]?.mine) lanes = await sweep(client)
        await client.query('COMMIT')
        broken = false
      } finally {
        client.release(broken)
      }
      await addTurns(distinct(lanes))
    },
    log,
    everyMs,
  )
}

const distinct = (lanes: readonly Lane[]): Lane[] => [
  ...new Map(lanes.map((lane) => [`${lane.queue} ${lane.tenant} ${lane.lane}`, lane] as const)).values(),
]
