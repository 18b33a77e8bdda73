// Sending again: one delivery, or a range of events. A replay has the webhook-id that the first delivery had, for to the
// receiver it is the same event; a receiver that keeps ids does nothing twice.
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { wantsEventSql } from './event-filter.ts'

type Rows = Pick<ControlTransaction, 'query'>

/** Of one call; what is left is told, and asked for again. */
export const mostReplayed = 10_000

interface TaskRow {
  state: string
  event_id: string | null
  is_kept: boolean
}

/** @throws RECORD_NOT_FOUND, DELIVERY_UNDER_WAY, EVENT_GONE */
export async function replayDelivery(
  rows: Rows,
  of: { readonly tenant: string; readonly endpoint: string; readonly attempts: number },
  id: string,
): Promise<void> {
  const [task] = await rows.query<TaskRow>(
    `SELECT t.state, t.event_id::text, o.id IS NOT NULL AS is_kept FROM kernel.task t
       LEFT JOIN kernel.outbox o ON o.tenant_id = t.tenant_id AND o.id = t.event_id
      WHERE t.tenant_id = $1 AND t.kind = 'webhook' AND t.queue = 'webhooks' AND t.lane = $2 AND t.id = $3
        FOR UPDATE OF t`,
    [of.tenant, of.endpoint, id],
  )
  if (!task) throw errors.recordNotFound({ entity: 'delivery', id })
  if (task.state === 'running') throw errors.deliveryUnderWay({ delivery: id })
  if (task.event_id !== null && !task.is_kept) throw errors.eventGone({ delivery: id })
  await rows.query(
    `UPDATE kernel.task SET state = 'waiting', ready = true, run_at = now(), ended_at = NULL, error = NULL,
            attempts_max = attempt + $3
      WHERE tenant_id = $1 AND id = $2`,
    [of.tenant, id, of.attempts],
  )
}

export interface ReplayRange {
  /** Moments: from this one on, before that one. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** Positions: behind this one, up to that one. */
  readonly after?: string | undefined
  readonly until?: string | undefined
  /** Of the events that the endpoint wants, these. */
  readonly events?: readonly string[] | undefined
  /** What has arrived is sent again, too. */
  readonly delivered: boolean
}

const replayEvents = `
  WITH wanted AS (
    SELECT o.* FROM kernel.outbox o
     WHERE o.tenant_id = $1 AND o.position IS NOT NULL
       AND o.position > coalesce($3::bigint, 0) AND ($4::bigint IS NULL OR o.position <= $4)
       AND ($5::timestamptz IS NULL OR o.at >= $5) AND ($6::timestamptz IS NULL OR o.at < $6)
       AND ${wantsEventSql('$7::text[]', "o.module || '.' || o.event")}
       AND ${wantsEventSql('$8::text[]', "o.module || '.' || o.event")}
     ORDER BY o.position LIMIT ${mostReplayed}),
  made AS (
    INSERT INTO kernel.task AS t (tenant_id, kind, queue, lane, module, name, event_id, depth, attempts_max, actor,
                                  request_id, traceparent)
    SELECT tenant_id, 'webhook', 'webhooks', $2, module, module || '.' || event, id, depth, $9, actor, request_id, traceparent
      FROM wanted ORDER BY position
    ON CONFLICT (tenant_id, event_id, queue, lane) WHERE event_id IS NOT NULL
    DO UPDATE SET state = 'waiting', ready = true, run_at = now(), ended_at = NULL, error = NULL,
                  attempts_max = t.attempt + $9
     WHERE t.state IN ('dead', 'skipped', 'cancelled') OR ($10 AND t.state = 'done')
    RETURNING 1)
  SELECT (SELECT count(*)::int FROM made) AS replayed, count(*)::int AS looked, max(position)::text AS last FROM wanted`

/** How many are sent; `next`: the position to go on after, where there may be more. */
export async function replayRange(
  rows: Rows,
  by: Pick<Located, 'tenant'>,
  endpoint: { readonly id: string; readonly events: readonly string[] },
  range: ReplayRange,
  attempts: number,
): Promise<{ replayed: number; next?: string }> {
  const [made] = await rows.query<{ replayed: number; looked: number; last: string | null }>(replayEvents, [
    by.tenant.id,
    endpoint.id,
    range.after ?? null,
    range.until ?? null,
    range.from ?? null,
    range.to ?? null,
    endpoint.events,
    range.events ?? ['*'],
    attempts,
    range.delivered,
  ])
  const { replayed = 0, looked = 0, last = null } = made ?? {}
  return looked === mostReplayed && last !== null ? { replayed, next: last } : { replayed }
}

/** An event of the kernel's own, to see whether a receiver works. Answers with the id of the delivery. */
export async function addTest(
  rows: Rows,
  { tenant, actor, requestId, traceparent }: Pick<Located, 'tenant' | 'actor' | 'requestId' | 'traceparent'>,
  endpoint: string,
): Promise<string> {
  const [row] = await rows.query<{ id: string }>(
    `INSERT INTO kernel.task (tenant_id, kind, queue, lane, module, name, input, priority, attempts_max, actor, request_id, traceparent)
     VALUES ($1, 'webhook', 'webhooks', $2, 'kernel', 'webhook.test', $3, -1, 1, $4, $5, $6) RETURNING id::text`,
    [tenant.id, endpoint, JSON.stringify({ webhook: endpoint }), actor.id, requestId, traceparent ?? null],
  )
  return row?.id ?? ''
}
