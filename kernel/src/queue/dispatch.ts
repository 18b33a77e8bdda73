// From events that were committed to things to do: each gets its place in the stream, and a task for every module that
// acts on it and that its tenant has switched on. One dispatcher at a time over all processes.
import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { Logger } from 'pino'
import { dispatchLock } from '../data/dispatch-lock.ts'
import type { Subscription } from '../entitlements/subscriptions.ts'
import { insertWebhookTasks } from '../webhooks/fan-out.ts'
import type { Lane } from './task.ts'

const atOnce = 500

/**
 * $1 how many, $2 the subscriptions as JSON, $3 attempts, $4 those of webhooks. Rows that another transaction is
 * erasing are left alone. Answers with how many events there were, and the lanes that got something.
 */
export const dispatchBatch = `
  WITH batch AS (
    SELECT tenant_id, id FROM kernel.outbox WHERE dispatched_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED
  ), numbered AS (
    SELECT tenant_id, id, nextval('kernel.outbox_position') AS position FROM (SELECT * FROM batch ORDER BY id) b
  ), events AS (
    UPDATE kernel.outbox o SET position = n.position, dispatched_at = clock_timestamp()
      FROM numbered n WHERE o.tenant_id = n.tenant_id AND o.id = n.id
    RETURNING o.tenant_id, o.id, o.module || '.' || o.event AS name, o.actor, o.request_id, o.traceparent, o.subject, o.depth
  ), tasks AS (
    INSERT INTO kernel.task (tenant_id, kind, queue, module, name, event_id, subject, depth, attempts_max, actor, request_id, traceparent)
    SELECT e.tenant_id, 'event', 'events.' || s.module, s.module, e.name, e.id, e.subject, e.depth, $3, e.actor, e.request_id, e.traceparent
      FROM events e
      JOIN jsonb_to_recordset($2) AS s(event text, module text) ON s.event = e.name
      JOIN kernel.tenant_module m ON m.tenant_id = e.tenant_id AND m.module = s.module
     ORDER BY e.id
    ON CONFLICT (tenant_id, event_id, queue, lane) WHERE event_id IS NOT NULL DO NOTHING
    RETURNING queue, tenant_id, lane
  ), webhooks AS (${insertWebhookTasks('events', '$4')}
  )
  SELECT (SELECT count(*)::int FROM batch) AS count,
         (SELECT coalesce(json_agg(DISTINCT jsonb_build_object('queue', queue, 'tenant', tenant_id, 'lane', lane)), '[]')
            FROM (SELECT * FROM tasks UNION ALL SELECT * FROM webhooks) made) AS lanes`

export interface DispatcherParts {
  readonly pool: pg.Pool
  readonly subscriptions: (client: pg.ClientBase) => Promise<readonly Subscription[]>
  readonly addTurns: (lanes: readonly Lane[]) => Promise<void>
  readonly eventAttempts: number
  readonly webhookAttempts: number
  readonly log: Logger
}

export interface Dispatcher {
  /** Something was committed: costs its caller nothing. */
  wake(): void
  close(): Promise<void>
}

const pollMs = 1_000
/** Another process is at it, and may have begun before the last of ours was committed. */
const busyMs = 50

export function startDispatcher(parts: DispatcherParts): Dispatcher {
  const { pool, subscriptions, addTurns, eventAttempts, webhookAttempts, log } = parts
  // Whoever wakes it may be in the middle of a request, which is nothing of ours.
  const onItsOwn = AsyncLocalStorage.snapshot()
  let underWay: Promise<void> | undefined
  let isAsked = false
  let isClosed = false

  /** How many it dispatched; undefined: another process does it. */
  async function dispatch(): Promise<number | undefined> {
    const client = await pool.connect()
    let broken: Error | boolean = true
    try {
      await client.query('BEGIN')
      const lock = await client.query<{ mine: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS mine', [
        dispatchLock,
      ])
      if (!lock.rows[0]?.mine) {
        await client.query('ROLLBACK')
        broken = false
        return undefined
      }
      const listening = await subscriptions(client)
      const { rows } = await client.query<{ count: number; lanes: Lane[] }>({
        name: 'plinth_dispatch',
        text: dispatchBatch,
        values: [atOnce, JSON.stringify(listening), eventAttempts, webhookAttempts],
      })
      await client.query('COMMIT')
      broken = false
      const { count, lanes } = rows[0] ?? { count: 0, lanes: [] }
      if (lanes.length > 0)
        await addTurns(lanes).catch((error: unknown) =>
          log.warn({ err: error }, 'turns could not be added; the sweeper does it'),
        )
      return count
    } finally {
      client.release(broken)
    }
  }

  async function dispatchAll(): Promise<void> {
    while (!isClosed) {
      const count = await dispatch()
      if (count === undefined) await sleep(busyMs)
      else if (count < atOnce) return
    }
  }

  async function run(): Promise<void> {
    do {
      isAsked = false
      try {
        await dispatchAll()
      } catch (error) {
        log.warn({ err: error }, 'events could not be dispatched; it is tried again')
        return
      }
    } while (isAsked && !isClosed)
  }

  function wake(): void {
    isAsked = true
    if (underWay || isClosed) return
    underWay = onItsOwn(run).finally(() => {
      underWay = undefined
    })
  }

  const timer = setInterval(wake, pollMs)
  timer.unref()
  return {
    wake,
    async close() {
      isClosed = true
      clearInterval(timer)
      await underWay
    },
  }
}
