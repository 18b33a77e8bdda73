// What a unit of work writes with its commit, in the same transaction and as the data login itself: the audit trail, its
// events, and that its task is done.
import { type AuditEntry, insertAudit, insertEvents, type OutboxEvent } from './audit-outbox.ts'
import type { Statement } from './statement.ts'
import { explainDone, markDone } from './task-done.ts'
import type { Explain } from './transaction.ts'
import type { UnitScope } from './unit-scope.ts'

interface Closing {
  readonly statement: Statement
  readonly explain?: Explain
}

export function closingStatements(
  { tenant, actor, requestId, onBehalfOf, origin = {}, task }: UnitScope,
  audits: readonly AuditEntry[],
  events: readonly OutboxEvent[],
): readonly Closing[] {
  const closing: Closing[] = []
  if (audits.length > 0) {
    const values = [
      tenant,
      actor,
      requestId,
      JSON.stringify(audits),
      onBehalfOf ?? null,
      JSON.stringify(origin),
    ]
    closing.push({ statement: insertAudit(values) })
  }
  if (events.length > 0) {
    const depth = task ? task.depth + 1 : 0
    const trace = origin.traceparent ?? null
    const values = [tenant, actor, requestId, JSON.stringify(events), trace, depth]
    closing.push({ statement: insertEvents(values) })
  }
  if (task) {
    const result = task.result === undefined ? null : JSON.stringify(task.result)
    const values = [tenant, task.id, task.attempt, result]
    closing.push({ statement: markDone(values), explain: explainDone })
  }
  return closing
}
