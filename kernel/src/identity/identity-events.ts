// What happened to a person's account, append-only: one row for the person to look at, and one in the audit trail of what
// concerns no tenant. A row is written before the caller hears of what it tells.
import { randomUUIDv7 } from 'node:crypto'
import { aboveTenants, auditedBy } from '../audit/write-audit.ts'
import type { Arrival } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'

export type IdentityEventKind =
  | 'signed-up'
  | 'signed-in'
  | 'sign-in-failed'
  | 'sign-in-blocked'
  | 'signed-out'
  | 'session-revoked'
  | 'password-reset-asked'
  | 'password-reset'
  | 'password-changed'
  | 'email-verified'
  | 'email-change-asked'
  | 'email-changed'
  | 'profile-changed'
  | 'totp-on'
  | 'totp-off'
  | 'recovery-codes-made'
  | 'passkey-added'
  | 'passkey-removed'
  | 'factors-removed'
  | 'credentials-removed'
  | 'disabled'
  | 'enabled'

export interface IdentityEvent {
  readonly kind: IdentityEventKind
  /** Undefined when nobody has the address that was given. */
  readonly userId: string | undefined
  /** Who did it, where it was not the person himself. */
  readonly by?: 'operator'
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

export interface ShownEvent {
  readonly id: string
  readonly at: string
  readonly kind: IdentityEventKind
  readonly address: string
  readonly userAgent?: string
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

type Query = Pick<ControlTransaction, 'query'>

/** The one way in which an event is written. */
export async function recordIdentityEvent(
  tx: Pick<ControlTransaction, 'query' | 'audit'>,
  origin: Arrival,
  event: IdentityEvent,
): Promise<void> {
  const person = event.userId ?? 'nobody'
  await tx.audit({
    ...auditedBy({ ...origin, actor: { id: event.by ?? person } }),
    tenantId: aboveTenants,
    module: 'identity',
    entity: 'person',
    recordId: person,
    action: event.kind,
    ...(event.detail && { after: event.detail }),
  })
  await tx.query(
    `INSERT INTO identity.event (id, user_id, kind, address, user_agent, request_id, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      randomUUIDv7(),
      event.userId ?? null,
      event.kind,
      origin.address,
      origin.agent ?? null,
      origin.requestId,
      event.detail ?? null,
    ],
  )
}

interface EventRow {
  id: string
  at: Date
  kind: IdentityEventKind
  address: string
  user_agent: string | null
  detail: Record<string, string | number | boolean> | null
}

/** A person's own events, newest first, before the one named by `cursor`. */
export async function listIdentityEvents(
  tx: Query,
  userId: string,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: ShownEvent[]; cursor?: string }> {
  const rows = await tx.query<EventRow>(
    `SELECT id, at, kind, address, user_agent, detail FROM identity.event
      WHERE user_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
    [userId, page.cursor ?? null, page.limit + 1],
  )
  const items = rows.slice(0, page.limit).map((row) => ({
    id: row.id,
    at: row.at.toISOString(),
    kind: row.kind,
    address: row.address,
    ...(row.user_agent === null ? {} : { userAgent: row.user_agent }),
    ...(row.detail === null ? {} : { detail: row.detail }),
  }))
  const last = items.at(-1)
  return rows.length > page.limit && last ? { items, cursor: last.id } : { items }
}
