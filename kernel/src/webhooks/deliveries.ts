// Deliveries as the tenant's administrator sees them: tasks of an endpoint's lane, with the log of their attempts.
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { webhookId } from './webhook-message.ts'

/** As they are told, and as kernel.task has them. */
const taskStates = {
  waiting: 'waiting',
  running: 'running',
  delivered: 'done',
  failed: 'dead',
  skipped: 'skipped',
  cancelled: 'cancelled',
} as const

export type DeliveryState = keyof typeof taskStates
export const deliveryStates = Object.keys(taskStates) as readonly DeliveryState[]

export interface Delivery {
  readonly id: string
  /** The header `webhook-id`. */
  readonly webhookId: string
  readonly type: string
  readonly state: DeliveryState
  readonly attempts: number
  readonly createdAt: string
  readonly nextAt?: string
  readonly endedAt?: string
  /** Why it has not arrived. */
  readonly error?: string
}

export interface Attempt {
  readonly at: string
  readonly durationMs: number
  readonly delivered: boolean
  readonly status?: number
  readonly error?: string
  readonly response?: string
}

interface DeliveryRow {
  id: string
  lane: string
  event_id: string | null
  name: string
  state: string
  attempts: number
  created_at: Date
  run_at: Date
  ended_at: Date | null
  error: { message?: string } | null
}

type Rows = Pick<ControlTransaction, 'query'>

const columns = `t.id::text, t.lane, t.event_id::text, t.name, t.state, t.created_at, t.run_at, t.ended_at, t.error,
  (SELECT count(*)::int FROM kernel.webhook_attempt a
    WHERE a.tenant_id = t.tenant_id AND a.endpoint_id = t.lane::uuid AND a.task_id = t.id) AS attempts`
const ofEndpoint = `t.tenant_id = $1 AND t.kind = 'webhook' AND t.queue = 'webhooks' AND t.lane = $2`

function deliveryOf(tenant: string, row: DeliveryRow): Delivery {
  const state = deliveryStates.find((one) => taskStates[one] === row.state) ?? 'cancelled'
  const message = row.error?.message
  return {
    id: row.id,
    webhookId: webhookId(tenant, row.lane, row.event_id ?? `test ${row.id}`),
    type: row.name,
    state,
    attempts: row.attempts,
    createdAt: row.created_at.toISOString(),
    ...(state === 'waiting' ? { nextAt: row.run_at.toISOString() } : {}),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at.toISOString() }),
    ...(message === undefined || state === 'delivered' ? {} : { error: message }),
  }
}

/** The newest first. */
export async function listDeliveries(
  rows: Rows,
  of: { readonly tenant: string; readonly endpoint: string },
  page: {
    readonly limit: number
    readonly cursor?: string | undefined
    readonly state?: DeliveryState | undefined
  },
): Promise<{ items: Delivery[]; cursor?: string }> {
  const found = await rows.query<DeliveryRow>(
    `SELECT ${columns} FROM kernel.task t WHERE ${ofEndpoint} AND ($3::bigint IS NULL OR t.id < $3)
        AND ($4::text IS NULL OR t.state = $4) ORDER BY t.id DESC LIMIT $5`,
    [
      of.tenant,
      of.endpoint,
      page.cursor ?? null,
      page.state === undefined ? null : taskStates[page.state],
      page.limit + 1,
    ],
  )
  const items = found.slice(0, page.limit).map((row) => deliveryOf(of.tenant, row))
  const last = items.at(-1)
  return found.length > page.limit && last ? { items, cursor: last.id } : { items }
}

export async function readDelivery(
  rows: Rows,
  of: { readonly tenant: string; readonly endpoint: string },
  id: string,
): Promise<Delivery | undefined> {
  const [row] = await rows.query<DeliveryRow>(
    `SELECT ${columns} FROM kernel.task t WHERE ${ofEndpoint} AND t.id = $3`,
    [of.tenant, of.endpoint, id],
  )
  return row && deliveryOf(of.tenant, row)
}

interface AttemptRow {
  at: Date
  duration_ms: number
  delivered: boolean
  status: number | null
  error: string | null
  response: string | null
}

/** What is kept of them, the latest 100 in their order. */
export async function readAttempts(
  rows: Rows,
  of: { readonly tenant: string; readonly endpoint: string },
  id: string,
): Promise<Attempt[]> {
  const found = await rows.query<AttemptRow>(
    `SELECT at, duration_ms, delivered, status, error, response FROM kernel.webhook_attempt
      WHERE tenant_id = $1 AND endpoint_id = $2 AND task_id = $3 ORDER BY id DESC LIMIT 100`,
    [of.tenant, of.endpoint, id],
  )
  return found.reverse().map(({ at, duration_ms: durationMs, delivered, ...row }) => ({
    at: at.toISOString(),
    durationMs,
    delivered,
    ...(row.status === null ? {} : { status: row.status }),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.response === null ? {} : { response: row.response }),
  }))
}

/** Of all tenants, a bounded number at a time; answers with how many went. */
export async function purgeAttempts(rows: Rows, days: number): Promise<number> {
  const gone = await rows.query(
    `DELETE FROM kernel.webhook_attempt WHERE (tenant_id, id) IN (
       SELECT tenant_id, id FROM kernel.webhook_attempt WHERE at < now() - make_interval(days => $1) ORDER BY at LIMIT 5000)
     RETURNING 1`,
    [days],
  )
  return gone.length
}
