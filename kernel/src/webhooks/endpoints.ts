// Rows of endpoints: what a tenant's administrator sees of them, and how they are changed.
import { randomUUIDv7 } from 'node:crypto'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { oldKeyHours } from './signature.ts'

export const disabledReasons = ['by-hand', 'failing', 'gone'] as const
export type DisabledReason = (typeof disabledReasons)[number]

export interface EndpointValues {
  readonly url: string
  readonly description: string
  readonly events: readonly string[]
  readonly state: 'enabled' | 'disabled'
}

export interface Endpoint extends EndpointValues {
  readonly id: string
  readonly version: number
  readonly disabledReason?: DisabledReason
  readonly disabledAt?: string
  /** Since when nothing arrives. */
  readonly failingSince?: string
  /** Until when the key before the last one signs too. */
  readonly oldSecretUntil?: string
  readonly createdAt: string
  readonly createdBy: string
  readonly updatedAt: string
  readonly updatedBy: string
}

interface EndpointRow {
  id: string
  version: number
  url: string
  description: string
  events: string[]
  state: 'enabled' | 'disabled'
  disabled_reason: DisabledReason | null
  disabled_at: Date | null
  failing_since: Date | null
  old_secret_until: Date | null
  created_at: Date
  created_by: string
  updated_at: Date
  updated_by: string
}

const columns = `id, version, url, description, events, state, disabled_reason, disabled_at, failing_since,
  CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until,
  created_at, created_by, updated_at, updated_by`

const endpointOf = (row: EndpointRow): Endpoint => ({
  id: row.id,
  version: row.version,
  url: row.url,
  description: row.description,
  events: row.events,
  state: row.state,
  ...(row.disabled_reason === null ? {} : { disabledReason: row.disabled_reason }),
  ...(row.disabled_at === null ? {} : { disabledAt: row.disabled_at.toISOString() }),
  ...(row.failing_since === null ? {} : { failingSince: row.failing_since.toISOString() }),
  ...(row.old_secret_until === null ? {} : { oldSecretUntil: row.old_secret_until.toISOString() }),
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  updatedAt: row.updated_at.toISOString(),
  updatedBy: row.updated_by,
})

type Rows = Pick<ControlTransaction, 'query'>

/** By age. */
export async function listEndpoints(
  rows: Rows,
  tenant: string,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ items: Endpoint[]; cursor?: string }> {
  const found = await rows.query<EndpointRow>(
    `SELECT ${columns} FROM kernel.webhook_endpoint WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id > $2)
      ORDER BY id LIMIT $3`,
    [tenant, page.cursor ?? null, page.limit + 1],
  )
  const items = found.slice(0, page.limit).map(endpointOf)
  const last = items.at(-1)
  return found.length > page.limit && last ? { items, cursor: last.id } : { items }
}

/**
 * With `lock`: until the transaction ends. Whoever locks an endpoint and its tasks takes the endpoint first; the lock lets
 * lines of the log refer to it.
 */
export async function readEndpoint(
  rows: Rows,
  tenant: string,
  id: string,
  { lock = true } = {},
): Promise<Endpoint | undefined> {
  const [row] = await rows.query<EndpointRow>(
    `SELECT ${columns} FROM kernel.webhook_endpoint WHERE tenant_id = $1 AND id = $2 ${lock ? 'FOR NO KEY UPDATE' : ''}`,
    [tenant, id],
  )
  return row && endpointOf(row)
}

/** Undefined when the tenant has `most` already. `sealed` is given the new id. */
export async function addEndpoint(
  rows: Rows,
  by: { readonly tenant: string; readonly actor: string; readonly most: number },
  values: EndpointValues,
  sealed: (id: string) => Buffer,
): Promise<Endpoint | undefined> {
  // Two that are made at once must not both be the last one.
  await rows.query('SELECT FROM kernel.tenant WHERE id = $1 FOR NO KEY UPDATE', [by.tenant])
  const id = randomUUIDv7()
  const [row] = await rows.query<EndpointRow>(
    `INSERT INTO kernel.webhook_endpoint (tenant_id, id, url, description, events, state, disabled_reason, disabled_at,
       secret, created_by, updated_by)
     SELECT $1, $2, $3, $4, $5, $6::text, CASE $6 WHEN 'disabled' THEN 'by-hand' END, CASE $6 WHEN 'disabled' THEN now() END,
            $7, $8, $8
      WHERE (SELECT count(*) FROM kernel.webhook_endpoint WHERE tenant_id = $1) < $9 RETURNING ${columns}`,
    [
      by.tenant,
      id,
      values.url,
      values.description,
      values.events,
      values.state,
      sealed(id),
      by.actor,
      by.most,
    ],
  )
  return row && endpointOf(row)
}

/** Enabling forgets what failed. */
export async function changeEndpoint(
  rows: Rows,
  by: { readonly tenant: string; readonly actor: string },
  id: string,
  values: EndpointValues,
  reason: DisabledReason = 'by-hand',
): Promise<Endpoint | undefined> {
  const [row] = await rows.query<EndpointRow>(
    `UPDATE kernel.webhook_endpoint SET version = version + 1, updated_at = now(), updated_by = $3, url = $4,
       description = $5, events = $6, state = $7,
       disabled_reason = CASE WHEN $7 = 'enabled' THEN NULL WHEN state = 'disabled' THEN disabled_reason ELSE $8 END,
       disabled_at = CASE WHEN $7 = 'enabled' THEN NULL WHEN state = 'disabled' THEN disabled_at ELSE now() END,
       failures = CASE WHEN $7 = 'enabled' AND state = 'disabled' THEN 0 ELSE failures END,
       failing_since = CASE WHEN $7 = 'enabled' AND state = 'disabled' THEN NULL ELSE failing_since END,
       held_until = CASE WHEN url = $4 AND $7 = state THEN held_until END
     WHERE tenant_id = $1 AND id = $2 RETURNING ${columns}`,
    [by.tenant, id, by.actor, values.url, values.description, values.events, values.state, reason],
  )
  return row && endpointOf(row)
}

export async function replaceKey(
  rows: Rows,
  by: { readonly tenant: string; readonly actor: string },
  id: string,
  sealed: Buffer,
): Promise<Endpoint | undefined> {
  const [row] = await rows.query<EndpointRow>(
    `UPDATE kernel.webhook_endpoint SET version = version + 1, updated_at = now(), updated_by = $3, secret = $4,
       old_secret = secret, old_secret_until = now() + make_interval(hours => $5)
     WHERE tenant_id = $1 AND id = $2 RETURNING ${columns}`,
    [by.tenant, id, by.actor, sealed, oldKeyHours],
  )
  return row && endpointOf(row)
}

/** With its deliveries and their log. One that is being tried at this moment finds nothing to note. */
export async function removeEndpoint(rows: Rows, tenant: string, id: string): Promise<void> {
  await rows.query(
    `DELETE FROM kernel.task WHERE tenant_id = $1 AND kind = 'webhook' AND queue = 'webhooks' AND lane = $2`,
    [tenant, id],
  )
  await rows.query('DELETE FROM kernel.webhook_endpoint WHERE tenant_id = $1 AND id = $2', [tenant, id])
}

/** What waits for an endpoint that was disabled is not sent; it can be replayed. */
export async function skipWaiting(rows: Rows, tenant: string, id: string): Promise<void> {
  await rows.query(
    `UPDATE kernel.task SET state = 'skipped', ended_at = now()
      WHERE tenant_id = $1 AND kind = 'webhook' AND queue = 'webhooks' AND lane = $2 AND state = 'waiting'`,
    [tenant, id],
  )
}
