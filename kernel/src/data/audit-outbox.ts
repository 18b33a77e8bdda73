// The two tables of the kernel that a unit of work adds to: what was changed, and what is to be told. Both rows are
// written by the data login itself, which may insert there and do nothing else.
import type { Json } from '@plinth/sdk'
import { prepared } from './statement.ts'

export interface AuditEntry {
  readonly module: string
  readonly entity: string
  readonly record: string
  /** create, update, delete, or the name of an action. */
  readonly action: string
  readonly before: Readonly<Record<string, Json>> | null
  readonly after: Readonly<Record<string, Json>> | null
  /** In whose name: that of the unit of work unless said. */
  readonly onBehalfOf?: string
}

export interface OutboxEvent {
  readonly module: string
  /** `journalEntry.posted` */
  readonly event: string
  readonly payload: Json
  /** Of the module: its contract is the payload's schema. */
  readonly version: string
  /** The record it is about, `oms.order:<id>`: events of one subject reach a subscriber in their order. */
  readonly subject?: string
}

/** Where a change came from. */
export interface AuditOrigin {
  readonly address?: string
  /** What the client says it is, cut short. */
  readonly agent?: string
  /** What the caller showed: `session`, `access` (a token of one), or `key:` and its id. */
  readonly via?: string
  /** Our step in the W3C trace that the request is part of. */
  readonly traceparent?: string
}

/** $1 tenant, $2 actor, $3 request, $4 the entries as JSON (one statement for any number), $5 on behalf of, $6 origin. */
export const insertAudit = prepared(`
  INSERT INTO kernel.audit (tenant_id, actor, request_id, on_behalf_of, via, address, agent, trace_id,
                            module, entity, record_id, action, before, after)
  SELECT $1, $2, $3, coalesce(e."onBehalfOf", $5), $6::jsonb->>'via', $6::jsonb->>'address', $6::jsonb->>'agent', split_part($6::jsonb->>'traceparent', '-', 2),
         e.module, e.entity, e.record, e.action, e.before, e.after
  FROM json_to_recordset($4) AS e(module text, entity text, record text, action text, before jsonb, after jsonb, "onBehalfOf" text)`)

/** $1 tenant, $2 actor, $3 request, $4 the events as JSON, $5 trace, $6 how many events led to these. */
export const insertEvents = prepared(`
  INSERT INTO kernel.outbox (tenant_id, actor, request_id, traceparent, depth, module, event, payload, version, subject)
  SELECT $1, $2, $3, $5, $6, e.module, e.event, e.payload, e.version, e.subject
  FROM json_to_recordset($4) AS e(module text, event text, payload jsonb, version text, subject text)`)
