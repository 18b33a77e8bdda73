import { errors } from '../../errors.ts'
import { lockAccess } from '../../permissions/lock-access.ts'
import { holdsEverything } from '../../permissions/may-grant.ts'
import type { Located, MembershipRole } from '../../stages.ts'
import { activate, deactivate, dropMember, recordChange } from '../change-members.ts'
import type { ControlTransaction } from '../control-transaction.ts'
import { accountFor } from './admit.ts'

export interface ProvisionedPerson {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: MembershipRole
  readonly isActive: boolean
  readonly externalId?: string
  readonly createdAt: string
  readonly updatedAt: string
}

export interface PersonFilter {
  readonly id?: string
  readonly email?: string
  readonly externalId?: string
}

interface PersonRow {
  id: string
  email: string
  name: string
  role: MembershipRole
  is_active: boolean
  external_id: string | null
  created_at: Date
  updated_at: Date
  total: number
}

const select = `
  SELECT u.id, u.email, u.name, m.role, m.is_active, x.external_id, m.created_at,
         coalesce(x.updated_at, m.created_at) AS updated_at, count(*) OVER ()::int AS total
    FROM (SELECT tenant_id, user_id, role, true AS is_active, created_at FROM kernel.membership
          UNION ALL SELECT tenant_id, user_id, role, false, created_at FROM kernel.inactive_member) m
    JOIN identity."user" u ON u.id = m.user_id
    JOIN kernel.sso_domain d
      ON d.tenant_id = m.tenant_id AND d.verified_at IS NOT NULL AND d.domain = split_part(lower(u.email), '@', 2)
    LEFT JOIN kernel.scim_user x ON x.tenant_id = m.tenant_id AND x.user_id = m.user_id
   WHERE m.tenant_id = $1 AND ($2::text IS NULL OR u.id = $2) AND ($3::text IS NULL OR lower(u.email) = $3)
     AND ($4::text IS NULL OR x.external_id = $4)
   ORDER BY u.id OFFSET $5 LIMIT $6`

const fromRow = (row: PersonRow): ProvisionedPerson => ({
  id: row.id,
  email: row.email,
  name: row.name,
  role: row.role,
  isActive: row.is_active,
  ...(row.external_id === null ? {} : { externalId: row.external_id }),
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
})

export async function listProvisioned(
  tx: Pick<ControlTransaction, 'query'>,
  tenantId: string,
  { id, email, externalId }: PersonFilter,
  page: { readonly offset: number; readonly limit: number },
): Promise<{ readonly items: readonly ProvisionedPerson[]; readonly total: number }> {
  const values = [tenantId, id ?? null, email?.toLowerCase() ?? null, externalId ?? null]
  const rows = await tx.query<PersonRow>(select, [...values, page.offset, Math.max(1, page.limit)])
  const total = rows[0]?.total ?? 0
  return { items: rows.slice(0, page.limit).map(fromRow), total }
}

/** @throws RECORD_NOT_FOUND */
export async function readProvisioned(
  tx: Pick<ControlTransaction, 'query'>,
  tenantId: string,
  id: string,
): Promise<ProvisionedPerson> {
  const { items } = await listProvisioned(tx, tenantId, { id }, { offset: 0, limit: 1 })
  if (!items[0]) throw errors.recordNotFound({ entity: 'user', id })
  return items[0]
}

/** Changes of one tenant's people take turns, as they do in change-members.ts. */
export const inTurn = async (tx: ControlTransaction, by: Located): Promise<Located> => ({
  ...by,
  grants: await lockAccess(tx, by, 'tenant.members.manage'),
})

/** Null takes the id of the directory away. @throws RECORD_CONFLICT when another person has it */
async function setExternalId(
  tx: ControlTransaction,
  by: Located,
  userId: string,
  externalId: string | null,
): Promise<void> {
  const other = await tx.query(
    'SELECT 1 FROM kernel.scim_user WHERE tenant_id = $1 AND external_id = $3 AND user_id <> $2',
    [by.tenant.id, userId, externalId],
  )
  if (other.length > 0) throw errors.recordConflict({ entity: 'user', fields: ['externalId'] })
  await tx.query(
    `INSERT INTO kernel.scim_user (tenant_id, user_id, external_id) VALUES ($1, $2, $3)
     ON CONFLICT (tenant_id, user_id) DO UPDATE SET external_id = excluded.external_id, updated_at = now()`,
    [by.tenant.id, userId, externalId],
  )
}

export interface NewPerson {
  readonly email: string
  readonly name: string | undefined
  readonly externalId: string | undefined
  readonly isActive: boolean
}

/** @throws SSO_NOT_CONFIGURED, VALIDATION_FAILED for an address of another domain, RECORD_CONFLICT for a member */
export async function provisionPerson(
  tx: ControlTransaction,
  by: Located,
  person: NewPerson,
): Promise<ProvisionedPerson> {
  const { id: tenantId } = by.tenant
  const caller = await inTurn(tx, by)
  const [connection] = await tx.query<{ default_role: MembershipRole }>(
    'SELECT default_role FROM kernel.sso_connection WHERE tenant_id = $1',
    [tenantId],
  )
  if (!connection) throw errors.ssoNotConfigured({})
  mayHandle(caller, connection.default_role)
  const email = person.email.toLowerCase()
  const own = await tx.query(
    `SELECT 1 FROM kernel.sso_domain
      WHERE tenant_id = $1 AND verified_at IS NOT NULL AND domain = substring($2 from '^[^@[:space:]]{1,64}@([^@[:space:]]+)$')`,
    [tenantId, email],
  )
  if (own.length === 0) {
    const message = 'must be an e-mail address of a domain that this tenant has verified'
    throw errors.validation({ errors: [{ field: 'userName', code: 'INVALID', message }] })
  }
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`sso person ${email}`])
  const userId = await accountFor(tx, tenantId, email, person.name, by)
  const added = await tx.query(
    `INSERT INTO kernel.membership (tenant_id, user_id, role)
     SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM kernel.inactive_member WHERE tenant_id = $1 AND user_id = $2)
     ON CONFLICT DO NOTHING RETURNING user_id`,
    [tenantId, userId, connection.default_role],
  )
  if (added.length === 0) throw errors.recordConflict({ entity: 'user', fields: ['userName'] })
  if (!person.isActive) await deactivate(tx, [tenantId, userId])
  await setExternalId(tx, by, userId, person.externalId ?? null)
  const after = await readProvisioned(tx, tenantId, userId)
  await recordChange(tx, by, userId, 'added', { after })
  return after
}

export interface PersonChange {
  readonly isActive?: boolean
  readonly externalId?: string | null
}

/** Whoever does not hold everything makes and unmakes nobody who does. */
function mayHandle(by: Located, role: MembershipRole): void {
  if (role !== 'member' && !holdsEverything(by.grants))
    throw errors.forbidden({ permission: `tenant.members.${role}` })
}

async function readForChange(tx: ControlTransaction, by: Located, id: string): Promise<ProvisionedPerson> {
  const caller = await inTurn(tx, by)
  const person = await readProvisioned(tx, by.tenant.id, id)
  if (person.role === 'owner') throw errors.forbidden({ permission: 'tenant.members.owner' })
  mayHandle(caller, person.role)
  return person
}

/** Who is not active does not enter from his next request on. @throws RECORD_NOT_FOUND, FORBIDDEN for an owner */
export async function changeProvisioned(
  tx: ControlTransaction,
  by: Located,
  id: string,
  { isActive, externalId }: PersonChange,
): Promise<ProvisionedPerson> {
  const before = await readForChange(tx, by, id)
  if (isActive !== undefined && isActive !== before.isActive)
    await (isActive ? activate(tx, [by.tenant.id, id], by.actor.id) : deactivate(tx, [by.tenant.id, id]))
  await setExternalId(tx, by, id, externalId === undefined ? (before.externalId ?? null) : externalId)
  const after = await readProvisioned(tx, by.tenant.id, id)
  await recordChange(tx, by, id, 'changed', { before, after })
  return after
}

/** Takes him out of the tenant; the account is the person's. @throws RECORD_NOT_FOUND, FORBIDDEN for an owner */
export async function removeProvisioned(tx: ControlTransaction, by: Located, id: string): Promise<void> {
  const before = await readForChange(tx, by, id)
  await dropMember(tx, [by.tenant.id, id])
  await recordChange(tx, by, id, 'removed', { before })
}
