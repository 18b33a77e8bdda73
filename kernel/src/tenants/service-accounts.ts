// Service accounts: programs as members of exactly one tenant, with a role like a person's, that come with keys and
// never with a password.

import { randomUUIDv7 } from 'node:crypto'
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import {
  requireEverything,
  requirePerson,
  requireTenantPermission,
} from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'
import { membershipKey } from './tenant-directory.ts'

/** A tenant's owners are people. */
export type ServiceRole = 'admin' | 'member'

export interface ServiceAccount {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly role: ServiceRole
  readonly active: boolean
  readonly version: number
  readonly createdAt: string
  readonly createdBy: string
}

export interface ServiceAccountInput {
  readonly name: string
  readonly description?: string
  readonly role: ServiceRole
}

interface AccountRow {
  id: string
  name: string
  description: string
  role: ServiceRole
  active: boolean
  version: number
  created_at: Date
  created_by: string
}

const selectAccount = `
  SELECT s.id, s.name, s.description, m.role, s.active, s.version, s.created_at, s.created_by
    FROM kernel.service_account s
    JOIN kernel.membership m ON m.tenant_id = s.tenant_id AND m.user_id = s.id::text
   WHERE s.tenant_id = $1`

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const fromRow = ({ created_at, created_by, ...row }: AccountRow): ServiceAccount => ({
  ...row,
  createdAt: created_at.toISOString(),
  createdBy: created_by,
})

/** Who may make, change and end service accounts and their keys. @throws FORBIDDEN, SCOPE_REQUIRED */
export function mayManageAccounts(by: Located): void {
  requireTenantPermission(by, 'tenant.serviceAccounts.manage')
  // An account may be an admin's, and its key is a second self that no role denies anything.
  requireEverything(by)
}

/**
 * Who may make what signs in, or change what it may do. A key may not: what it made would go on when it is revoked.
 * @throws FORBIDDEN, SCOPE_REQUIRED, PERSON_REQUIRED
 */
export function mayMakeCredentials(by: Located): void {
  mayManageAccounts(by)
  requirePerson(by)
}

/** Account with `id`, its row locked. @throws RECORD_NOT_FOUND */
async function lockAccount(tx: ControlTransaction, tenantId: string, id: string): Promise<ServiceAccount> {
  const rows = uuid.test(id)
    ? await tx.query<AccountRow>(`${selectAccount} AND s.id = $2 FOR UPDATE`, [tenantId, id])
    : []
  const [row] = rows
  if (!row) throw errors.recordNotFound({ entity: 'service account', id })
  return fromRow(row)
}

async function record(
  tx: ControlTransaction,
  by: Located,
  id: string,
  action: string,
  change: { before?: object; after?: object },
): Promise<void> {
  await tx.audit({
    tenantId: by.tenant.id,
    ...auditedBy(by),
    entity: 'serviceAccount',
    recordId: id,
    action,
    ...change,
  })
  await tx.announce({ kind: 'member', id: membershipKey(by.tenant.id, id) })
}

const nameIsTaken = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'service_account_name_idx'

/** A unique name that is taken is told as such. */
async function withUniqueName<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (nameIsTaken(error) || (error instanceof Error && nameIsTaken(error.cause)))
      throw errors.recordConflict({ entity: 'service account', fields: ['name'] })
    throw error
  }
}

export function createServiceAccount(
  runControl: RunControl,
  by: Located,
  { name, description = '', role }: ServiceAccountInput,
): Promise<ServiceAccount> {
  mayMakeCredentials(by)
  const id = randomUUIDv7()
  return withUniqueName(() =>
    runControl(async (tx) => {
      await tx.query(
        'INSERT INTO kernel.service_account (id, tenant_id, name, description, created_by) VALUES ($1, $2, $3, $4, $5)',
        [id, by.tenant.id, name, description, by.actor.id],
      )
      await tx.query('INSERT INTO kernel.membership (tenant_id, user_id, role) VALUES ($1, $2, $3)', [
        by.tenant.id,
        id,
        role,
      ])
      const account = await lockAccount(tx, by.tenant.id, id)
      await record(tx, by, id, 'created', { after: account })
      return account
    }),
  )
}

/** By id, `limit` at most, after the one named by `cursor`. */
export async function listServiceAccounts(
  runControl: RunControl,
  by: Located,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: ServiceAccount[]; cursor?: string }> {
  mayManageAccounts(by)
  const after = page.cursor !== undefined && uuid.test(page.cursor) ? page.cursor : null
  const rows = await runControl((tx) =>
    tx.query<AccountRow>(`${selectAccount} AND ($2::uuid IS NULL OR s.id > $2) ORDER BY s.id LIMIT $3`, [
      by.tenant.id,
      after,
      page.limit + 1,
    ]),
  )
  const items = rows.slice(0, page.limit).map(fromRow)
  const last = items.at(-1)
  return rows.length > page.limit && last ? { items, cursor: last.id } : { items }
}

export async function getServiceAccount(
  runControl: RunControl,
  by: Located,
  id: string,
): Promise<ServiceAccount> {
  mayManageAccounts(by)
  return runControl((tx) => lockAccount(tx, by.tenant.id, id))
}

/** A deactivated account's keys stop at once, and work again when it is active again. @throws VERSION_CONFLICT */
export function changeServiceAccount(
  runControl: RunControl,
  by: Located,
  id: string,
  change: Partial<ServiceAccountInput> & { readonly active?: boolean },
  versions?: readonly number[],
): Promise<ServiceAccount> {
  mayMakeCredentials(by)
  return withUniqueName(() =>
    runControl(async (tx) => {
      const before = await lockAccount(tx, by.tenant.id, id)
      if (versions && !versions.includes(before.version))
        throw errors.versionConflict({ entity: 'service account', id, version: before.version })
      const wanted = { ...before, ...change }
      await tx.query(
        `UPDATE kernel.service_account
            SET name = $3, description = $4, active = $5, version = version + 1, updated_at = now()
          WHERE tenant_id = $1 AND id = $2`,
        [by.tenant.id, id, wanted.name, wanted.description, wanted.active],
      )
      await tx.query('UPDATE kernel.membership SET role = $3 WHERE tenant_id = $1 AND user_id = $2', [
        by.tenant.id,
        id,
        wanted.role,
      ])
      const after = await lockAccount(tx, by.tenant.id, id)
      await record(tx, by, id, 'changed', { before, after })
      const keys = await tx.query<{ id: string }>(
        'SELECT id FROM kernel.api_key WHERE tenant_id = $1 AND owner_id = $2 AND revoked_at IS NULL',
        [by.tenant.id, id],
      )
      for (const key of keys) await tx.announce({ kind: 'session', id: `key:${key.id}` })
      return after
    }),
  )
}
