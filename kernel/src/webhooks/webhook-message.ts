// What is sent to an endpoint, read anew for each attempt, and the message that it becomes.
import { createHash } from 'node:crypto'
import type { Json } from '@plinth/sdk'
import type { Seal } from '../outside/seal.ts'
import { traceContinuer } from '../telemetry/trace-context.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { type SealedKeys, signatureOf } from './signature.ts'

/** An attempt that a worker has claimed. */
export interface ClaimedWebhook {
  readonly tenantId: string
  /** Of kernel.task. */
  readonly id: string
  readonly attempt: number
}

export interface Sending {
  readonly endpoint: string
  readonly url: string
  readonly state: 'enabled' | 'disabled'
  readonly isTest: boolean
  /** Until then nothing is tried. */
  readonly heldUntil: Date | null
  readonly isHeld: boolean
  readonly keys: SealedKeys
  readonly type: string
  readonly at: Date
  readonly eventId: string | null
  /** Undefined when the event is no longer kept. */
  readonly data: Json | undefined
  readonly attemptsMax: number
  readonly requestId: string
  readonly traceparent: string | null
}

interface Row {
  lane: string
  name: string
  input: Json
  event_id: string | null
  attempts_max: number
  request_id: string
  traceparent: string | null
  created_at: Date
  url: string | null
  state: 'enabled' | 'disabled'
  held_until: Date | null
  is_held: boolean
  secret: Buffer
  old_secret: Buffer | null
  at: Date | null
  payload: Json
}

/** Undefined when it is nobody's to send any more; 'no endpoint' when only the endpoint is gone. */
export async function readSending(
  rows: Pick<ControlTransaction, 'query'>,
  { tenantId, id, attempt }: ClaimedWebhook,
): Promise<Sending | 'no endpoint' | undefined> {
  const [row] = await rows.query<Row>(
    `SELECT t.lane, t.name, t.input, t.event_id, t.attempts_max, t.request_id, t.traceparent, t.created_at,
            e.url, e.state, e.held_until, coalesce(e.held_until > now(), false) AS is_held, e.secret,
            CASE WHEN e.old_secret_until > now() THEN e.old_secret END AS old_secret, o.at, o.payload
       FROM kernel.task t
       LEFT JOIN kernel.webhook_endpoint e ON e.tenant_id = t.tenant_id AND e.id = t.lane::uuid
       LEFT JOIN kernel.outbox o ON o.tenant_id = t.tenant_id AND o.id = t.event_id
      WHERE t.tenant_id = $1 AND t.id = $2 AND t.attempt = $3 AND t.state = 'running' AND t.kind = 'webhook'`,
    [tenantId, id, attempt],
  )
  if (!row) return undefined
  if (row.url === null) return 'no endpoint'
  const isTest = row.event_id === null
  return {
    endpoint: row.lane,
    url: row.url,
    state: row.state,
    isTest,
    heldUntil: row.held_until,
    isHeld: row.is_held,
    keys: { secret: row.secret, oldSecret: row.old_secret },
    type: row.name,
    at: row.at ?? row.created_at,
    eventId: row.event_id,
    data: isTest ? row.input : row.at === null ? undefined : row.payload,
    attemptsMax: row.attempts_max,
    requestId: row.request_id,
    traceparent: row.traceparent,
  }
}

/** The same for all attempts and replays of one event to one endpoint: what a receiver knows it again by. */
export function webhookId(tenant: string, endpoint: string, event: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([tenant, endpoint, event]))
    .digest('base64url')
  return `msg_${digest.slice(0, 27)}`
}

export const messageIdOf = (
  { tenantId, id }: Pick<ClaimedWebhook, 'tenantId' | 'id'>,
  { endpoint, eventId }: Pick<Sending, 'endpoint' | 'eventId'>,
): string => webhookId(tenantId, endpoint, eventId ?? `test ${id}`)

export function messageOf(
  seal: Seal,
  claimed: ClaimedWebhook,
  sending: Sending,
): { readonly headers: readonly { name: string; value: string }[]; readonly body: Buffer } {
  const { type, at, data, endpoint, keys, traceparent } = sending
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data: data ?? null })
  const id = messageIdOf(claimed, sending)
  const now = new Date()
  const signature = signatureOf(seal, { tenant: claimed.tenantId, endpoint }, keys, { id, at: now, body })
  const headers = [
    ['content-type', 'application/json'],
    ['webhook-id', id],
    ['webhook-timestamp', String(Math.floor(now.getTime() / 1_000))],
    ['webhook-signature', signature],
    ...(traceparent === null ? [] : [['traceparent', traceContinuer()(traceparent)]]),
  ].map(([name = '', value = '']) => ({ name, value }))
  return { headers, body: Buffer.from(body) }
}
