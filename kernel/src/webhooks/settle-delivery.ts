// What an attempt leaves behind, in one transaction: the task is done, waits for its next attempt or has failed; the log
// has a line; the endpoint is healthy, held back or disabled. Nothing when the task is no longer this attempt's.
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { type DisableParts, disableEndpoint } from './disable-endpoint.ts'
import type { Outcome } from './send-webhook.ts'
import type { ClaimedWebhook, Sending } from './webhook-message.ts'

export interface DeliveryPolicy {
  /** Seconds after the first attempt, after the second one, and so on. */
  readonly webhookDelays: readonly number[]
  /** Nothing arrived for so many days: disabled. 0: never. */
  readonly webhookDisableDays: number
}

/** The attempts of one round. */
export const attemptsOf = ({ webhookDelays }: Pick<DeliveryPolicy, 'webhookDelays'>): number =>
  webhookDelays.length + 1

/** Up to here a failure concerns one delivery; from here on the endpoint. */
const failuresUntilHeld = 3
/** How long an endpoint is held back at most, unless it asks for more. */
const longestHoldMs = 600_000
/** The longest wait that a receiver gets by asking. */
const longestAskedMs = 86_400_000
/** A few failures of a day without traffic are not days of failing. */
const failuresUntilDisabled = 5
const dayMs = 86_400_000

const withJitter = (ms: number): number => ms * (0.9 + 0.2 * Math.random())

const boundedWait = (outcome: Outcome): number => Math.min(outcome.retryAfterMs ?? 0, longestAskedMs)

/** Until the next attempt; undefined when there is none. */
export function nextDelayMs(
  { webhookDelays }: DeliveryPolicy,
  { attempt, attemptsMax }: { readonly attempt: number; readonly attemptsMax: number },
  outcome: Outcome,
): number | undefined {
  // A replay adds attempts to those there were: how many are left says how far this round has come.
  const left = attemptsMax - attempt
  if (left <= 0 || outcome.isGone) return undefined
  const seconds = webhookDelays[Math.max(webhookDelays.length - left, 0)] ?? webhookDelays.at(-1) ?? 1
  return Math.max(withJitter(seconds * 1_000), boundedWait(outcome))
}

const mine = `WHERE tenant_id = $1 AND id = $2 AND attempt = $3 AND state = 'running'`

async function endTask(
  tx: ControlTransaction,
  { tenantId, id, attempt }: ClaimedWebhook,
  state: 'done' | 'dead' | 'skipped' | 'cancelled',
  error?: object,
): Promise<boolean> {
  const ended = await tx.query(
    `UPDATE kernel.task SET state = $4, ended_at = now(), lease_until = NULL, error = $5 ${mine} RETURNING id`,
    [tenantId, id, attempt, state, error === undefined ? null : JSON.stringify(error)],
  )
  return ended.length > 0
}

/** For what is not tried at all: of an endpoint that is gone or disabled, or an event that is no longer kept. */
export async function endUntried(
  tx: ControlTransaction,
  claimed: ClaimedWebhook,
  state: 'dead' | 'skipped' | 'cancelled',
  message: string,
): Promise<void> {
  await endTask(tx, claimed, state, { code: 'NOT_SENT', message, at: new Date().toISOString() })
}

/** Back to where it was; this was no attempt, and counts as none. */
export async function postpone(
  tx: ControlTransaction,
  { tenantId, id, attempt }: ClaimedWebhook,
  until: Date,
): Promise<void> {
  const waitMs = Math.max(until.getTime() - Date.now(), 0)
  await tx.query(
    `UPDATE kernel.task SET state = 'waiting', ready = false, lease_until = NULL, worker = NULL, attempts_max = attempts_max + 1,
            run_at = now() + $4 * interval '1 millisecond' ${mine}`,
    // Not all at once when it is over.
    [tenantId, id, attempt, waitMs * (1 + Math.random() / 10)],
  )
}

async function log(tx: ControlTransaction, claimed: ClaimedWebhook, sending: Sending, outcome: Outcome) {
  await tx.query(
    `INSERT INTO kernel.webhook_attempt (tenant_id, endpoint_id, task_id, duration_ms, status, delivered, error, response)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8
      WHERE EXISTS (SELECT FROM kernel.webhook_endpoint WHERE tenant_id = $1 AND id = $2)`,
    [
      claimed.tenantId,
      sending.endpoint,
      claimed.id,
      outcome.durationMs,
      outcome.status ?? null,
      outcome.delivered,
      outcome.error ?? null,
      outcome.response ?? null,
    ],
  )
}

interface Health {
  failures: number
  failing_ms: number
}

/** Another failure of the endpoint; the more in a row, the longer it is held back. */
async function countFailure(
  tx: ControlTransaction,
  policy: DeliveryPolicy,
  { tenantId }: ClaimedWebhook,
  { endpoint }: Sending,
  outcome: Outcome,
): Promise<Health | undefined> {
  const { webhookDelays } = policy
  const steps = webhookDelays.map((seconds) => Math.min(seconds * 1_000, longestHoldMs))
  const [health] = await tx.query<Health>(
    `UPDATE kernel.webhook_endpoint SET failures = failures + 1, failing_since = coalesce(failing_since, now()),
            held_until = CASE WHEN failures + 1 >= $3 OR $5 > 0 THEN now() + interval '1 millisecond' * greatest($5,
              CASE WHEN failures + 1 >= $3 THEN ($4::float8[])[least(failures + 2 - $3, cardinality($4::float8[]))] ELSE 0 END) END
      WHERE tenant_id = $1 AND id = $2 AND state = 'enabled'
      RETURNING failures, extract(epoch FROM now() - failing_since)::float8 * 1000 AS failing_ms`,
    [tenantId, endpoint, failuresUntilHeld, steps, boundedWait(outcome)],
  )
  return health
}

/** It works, whatever was before. */
const countSuccess = (tx: ControlTransaction, { tenantId }: ClaimedWebhook, { endpoint }: Sending) =>
  tx.query(
    `UPDATE kernel.webhook_endpoint SET failures = 0, failing_since = NULL, held_until = NULL
      WHERE tenant_id = $1 AND id = $2 AND failures > 0`,
    [tenantId, endpoint],
  )

/** False when the task is another's by now. */
async function endFailed(
  { policy }: { readonly policy: DeliveryPolicy },
  tx: ControlTransaction,
  claimed: ClaimedWebhook,
  { isTest, attemptsMax }: Sending,
  outcome: Outcome,
): Promise<boolean> {
  const { tenantId, id, attempt } = claimed
  const message = outcome.error ?? `It answered ${outcome.status}.`
  const error = { code: 'WEBHOOK_FAILED', message, at: new Date().toISOString() }
  const delayMs = isTest ? undefined : nextDelayMs(policy, { attempt, attemptsMax }, outcome)
  if (delayMs === undefined) return endTask(tx, claimed, 'dead', error)
  const waiting = await tx.query(
    `UPDATE kernel.task SET state = 'waiting', ready = false, lease_until = NULL, worker = NULL, error = $5,
            run_at = now() + $4 * interval '1 millisecond' ${mine} RETURNING id`,
    [tenantId, id, attempt, delayMs, JSON.stringify(error)],
  )
  return waiting.length > 0
}

/** The endpoint before the task, as everybody who locks both. */
export async function settleDelivery(
  parts: DisableParts & { readonly policy: DeliveryPolicy },
  tx: ControlTransaction,
  claimed: ClaimedWebhook,
  sending: Sending,
  outcome: Outcome,
): Promise<void> {
  const { policy } = parts
  if (outcome.delivered) {
    await countSuccess(tx, claimed, sending)
    if (await endTask(tx, claimed, 'done')) await log(tx, claimed, sending, outcome)
    return
  }
  const health = sending.isTest ? undefined : await countFailure(tx, policy, claimed, sending, outcome)
  if (!(await endFailed(parts, tx, claimed, sending, outcome))) return
  await log(tx, claimed, sending, outcome)
  if (!health) return
  const of = { tenant: claimed.tenantId, endpoint: sending.endpoint, requestId: sending.requestId }
  if (outcome.isGone) return disableEndpoint(parts, tx, of, 'gone')
  const { webhookDisableDays: days } = policy
  if (days > 0 && health.failures >= failuresUntilDisabled && health.failing_ms >= days * dayMs)
    await disableEndpoint(parts, tx, of, 'failing')
}
