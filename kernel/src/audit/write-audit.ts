// One row of the audit trail, on the kernel login, in the transaction of the change that it tells of. Records of modules
// have theirs from the unit of work (data/audit-outbox.ts).
import type pg from 'pg'
import type { AuditOrigin } from '../data/audit-outbox.ts'
import { fromDatabase } from '../data/database-failure.ts'
import { traceIdOf } from '../telemetry/trace-context.ts'

export interface ControlAudit {
  readonly tenantId: string
  readonly actorId: string
  /** Id of the person whose right the actor uses, where it is not his own. */
  readonly onBehalfOf?: string
  readonly requestId: string
  readonly origin?: AuditOrigin
  /** `kernel` unless said. */
  readonly module?: string
  /** `tenant`, `membership`, `module`. */
  readonly entity: string
  readonly recordId: string
  /** `created`, `enabled`, `disabled`, `changed`, `removed`. */
  readonly action: string
  readonly before?: object
  readonly after?: object
}

/** Stands for the tenant in what concerns all of them, or none. */
export const aboveTenants = '00000000-0000-0000-0000-000000000000'

/** Who a request comes from, as its stages say it. */
interface Asking {
  readonly requestId: string
  readonly address?: string
  readonly agent?: string
  readonly traceparent?: string
  readonly onBehalfOf?: string
  readonly credential?: 'session' | 'access' | 'key'
  readonly actor?: { readonly session?: string }
}

/** A key is named: there may be many, and one of them may have leaked. */
const viaOf = (credential: Asking['credential'], session: string | undefined): { via?: string } => {
  const via = credential === 'key' ? session : credential
  return via === undefined ? {} : { via }
}

export const originOf = ({ address, agent, traceparent, credential, actor }: Asking): AuditOrigin => ({
  ...viaOf(credential, actor?.session),
  ...(address === undefined ? {} : { address }),
  ...(agent === undefined ? {} : { agent }),
  ...(traceparent === undefined ? {} : { traceparent }),
})

/** By whom and from where, of every row that a request leaves. */
export const auditedBy = (
  by: Asking &
    ({ readonly actor: { readonly id: string; readonly session?: string } } | { readonly operator: string }),
): Pick<ControlAudit, 'actorId' | 'requestId' | 'origin' | 'onBehalfOf'> => ({
  actorId: 'operator' in by ? by.operator : by.actor.id,
  requestId: by.requestId,
  origin: originOf(by),
  ...(by.onBehalfOf === undefined ? {} : { onBehalfOf: by.onBehalfOf }),
})

/** What `auditedBy` gives. */
export type AuditedBy = ReturnType<typeof auditedBy>

const insert = `
  INSERT INTO kernel.audit (tenant_id, actor, on_behalf_of, via, request_id, address, agent, trace_id,
                            module, entity, record_id, action, before, after)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`

const json = (value: object | undefined): string | null =>
  value === undefined ? null : JSON.stringify(value)

export async function writeAudit(client: Pick<pg.ClientBase, 'query'>, entry: ControlAudit): Promise<void> {
  const { via = null, address = null, agent = null, traceparent } = entry.origin ?? {}
  await fromDatabase(() =>
    client.query(insert, [
      entry.tenantId,
      entry.actorId,
      entry.onBehalfOf ?? null,
      via,
      entry.requestId,
      address,
      agent,
      traceparent === undefined ? null : traceIdOf(traceparent),
      entry.module ?? 'kernel',
      entry.entity,
      entry.recordId,
      entry.action,
      json(entry.before),
      json(entry.after),
    ]),
  )
}
