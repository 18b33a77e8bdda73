// From events to the endpoints that want them: one task each, in the statement that gives the events their positions. An
// endpoint is disabled by its row, and not by anything in memory, so what happens while it is disabled makes no task.
import { wantsEventSql } from './event-filter.ts'

/**
 * An INSERT for a WITH of the dispatcher's. `events` is a relation with tenant_id, id, name (with its module), depth, actor,
 * request_id and traceparent; `attempts` an expression: how often each is tried. Answers queue, tenant_id and lane.
 */
export const insertWebhookTasks = (events: string, attempts: string): string => `
    INSERT INTO kernel.task (tenant_id, kind, queue, lane, module, name, event_id, depth, attempts_max, actor,
                             request_id, traceparent)
    SELECT e.tenant_id, 'webhook', 'webhooks', w.id::text, split_part(e.name, '.', 1), e.name, e.id, e.depth,
           ${attempts}, e.actor, e.request_id, e.traceparent
      FROM ${events} e
      JOIN kernel.webhook_endpoint w ON w.tenant_id = e.tenant_id AND w.state = 'enabled'
       AND ${wantsEventSql('w.events', 'e.name')}
     ORDER BY e.id
    ON CONFLICT (tenant_id, event_id, queue, lane) WHERE event_id IS NOT NULL DO NOTHING
    RETURNING queue, tenant_id, lane`
