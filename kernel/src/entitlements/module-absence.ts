// What a tenant's module misses while it is switched off. Its tasks wait; for events that nobody made a task of, it is
// remembered since when. Both halves run under the dispatcher's lock: an event is dispatched before or after, never between.
import { dispatchLock } from '../data/dispatch-lock.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { readSubscriptions } from './subscriptions.ts'

type Tx = Pick<ControlTransaction, 'query'>

/** First of all in a transaction that calls one of the two below: whoever dispatches waits for no row that it has locked. */
export async function holdDispatch(tx: Tx): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [dispatchLock])
}

export async function noteAbsence(tx: Tx, tenant: string, module: string): Promise<void> {
  await tx.query(
    'INSERT INTO kernel.module_absence (tenant_id, module) VALUES ($1, $2) ON CONFLICT (tenant_id, module) DO NOTHING',
    [tenant, module],
  )
}

/** $1 tenant, $2 module, $3 since, $4 names of events, $5 attempts. What has a task already is left as it is. */
const catchUp = `
  INSERT INTO kernel.task (tenant_id, kind, queue, module, name, event_id, subject, depth, attempts_max, actor, request_id, traceparent)
  SELECT o.tenant_id, 'event', 'events.' || $2, $2, o.module || '.' || o.event, o.id, o.subject, o.depth, $5, o.actor, o.request_id, o.traceparent
    FROM kernel.outbox o
   WHERE o.tenant_id = $1 AND o.dispatched_at >= $3::timestamptz - interval '1 second' AND o.module || '.' || o.event = ANY($4)
   ORDER BY o.position
  ON CONFLICT (tenant_id, event_id, queue, lane) WHERE event_id IS NOT NULL DO NOTHING`

const skip = `
  UPDATE kernel.task SET state = 'skipped', ended_at = now()
   WHERE tenant_id = $1 AND queue = 'events.' || $2 AND lane = '' AND state = 'waiting' AND name = ANY($3)`

/** A tenant of many years may have missed much; it waits for it once. */
const catchUpMs = 60_000

/** When the module is the tenant's again: what it missed comes before what is told from now on. */
export async function endAbsence(
  tx: Tx,
  tenant: string,
  module: string,
  eventAttempts: number,
): Promise<void> {
  const [absence] = await tx.query<{ since: Date }>(
    'DELETE FROM kernel.module_absence WHERE tenant_id = $1 AND module = $2 RETURNING since',
    [tenant, module],
  )
  if (!absence) return
  const heard = (await readSubscriptions(tx)).filter((one) => one.module === module)
  const named = (kind: 'deliver' | 'skip') =>
    heard.flatMap(({ event, whileDisabled }) => (whileDisabled === kind ? [event] : []))
  await tx.query(`SET LOCAL statement_timeout = ${catchUpMs}`, [])
  await tx.query(skip, [tenant, module, named('skip')])
  await tx.query(catchUp, [tenant, module, absence.since, named('deliver'), eventAttempts])
  await tx.query('SET LOCAL statement_timeout TO DEFAULT', [])
}
