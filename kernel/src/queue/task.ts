// One thing to do, as a turn has claimed it. See kernel.task in migrations/.
import type { Json } from '@plinth/sdk'

export type TaskKind = 'event' | 'job' | 'webhook'

/** Whose tasks take turns with each other: a tenant's in a queue; a webhook's endpoint has a lane of its own. */
export interface Lane {
  /** `events.<module>`, `jobs.<module>` or `webhooks`. */
  readonly queue: string
  /** Id. */
  readonly tenant: string
  readonly lane: string
}

export interface TaskEvent {
  readonly id: number
  readonly at: Date
  readonly payload: Json
  /** Of the module that told it. */
  readonly version: string | null
}

export interface Task extends Lane {
  readonly id: number
  readonly kind: TaskKind
  /** Who does it. */
  readonly module: string
  /** Of an event: its full name, `oms.order.shipped`. Of a job: its key in the module. */
  readonly name: string
  /** What happened; null for a job, and for an event that is no longer kept. */
  readonly event: TaskEvent | null
  readonly input: Json
  readonly subject: string | null
  /** How many events led to it. */
  readonly depth: number
  /** From 1. */
  readonly attempt: number
  readonly attemptsMax: number
  readonly actor: string
  readonly onBehalfOf: string | null
  readonly requestId: string
  readonly traceparent: string | null
  readonly createdAt: Date
}

/** As the database gives it; bigint as text. */
export interface TaskRow {
  tenant_id: string
  id: string
  kind: TaskKind
  queue: string
  lane: string
  module: string
  name: string
  event_id: string | null
  event_at: Date | null
  payload: Json
  version: string | null
  input: Json
  subject: string | null
  depth: number
  attempt: number
  attempts_max: number
  actor: string
  on_behalf_of: string | null
  request_id: string
  traceparent: string | null
  created_at: Date
}

export const taskFromRow = (row: TaskRow): Task => ({
  tenant: row.tenant_id,
  id: Number(row.id),
  kind: row.kind,
  queue: row.queue,
  lane: row.lane,
  module: row.module,
  name: row.name,
  event:
    row.event_id === null || row.event_at === null
      ? null
      : { id: Number(row.event_id), at: row.event_at, payload: row.payload, version: row.version },
  input: row.input,
  subject: row.subject,
  depth: row.depth,
  attempt: row.attempt,
  attemptsMax: row.attempts_max,
  actor: row.actor,
  onBehalfOf: row.on_behalf_of,
  requestId: row.request_id,
  traceparent: row.traceparent,
  createdAt: row.created_at,
})

/** The module that works in a queue; undefined for the kernel's own. */
export function moduleOfQueue(queue: string): string | undefined {
  const [, module] = /^(?:events|jobs)\.(.+)$/.exec(queue) ?? []
  return module
}
