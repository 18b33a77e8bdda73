// Who belongs to a tenant, and with which role. A tenant always keeps an owner.
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { holdsEverything } from '../permissions/may-grant.ts'
import { isInScopes } from '../permissions/scopes.ts'
import type { Located, MembershipRole } from '../stages.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'
import { membershipKey } from './tenant-directory.ts'

export interface Member {
  readonly userId: string
  readonly name: string
  readonly email: string
  readonly role: MembershipRole
  readonly since: string
}

type MemberRow = Omit<Member, 'userId' | 'since'> & { user_id: string; created_at: Date }

const selectMember = `
  SELECT m.user_id, u.name, u.email, m.role, m.created_at
    FROM kernel.membership m JOIN identity."user" u ON u.id = m.user_id
   WHERE m.tenant_id = $1`

const memberFromRow = (row: MemberRow): Member => ({
  userId: row.user_id,
  name: row.name,
  email: row.email,
  role: row.role,
  since: row.created_at.toISOString(),
})

/** Members by user id, `limit` at most, after the one named by `cursor`. */
export async function listMembers(
  runControl: RunControl,
  tenantId: string,
  page: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: Member[]; cursor?: string }> {
  return runControl(async (tx) => {
    const rows = await tx.query<MemberRow>(`${selectMember} AND m.user_id > $2 ORDER BY m.user_id LIMIT $3`, [
      tenantId,
      page.cursor ?? '',
      page.limit + 1,
    ])
    const items = rows.slice(0, page.limit).map(memberFromRow)
    const last = items.at(-1)
    return rows.length > page.limit && last ? { items, cursor: last.userId } : { items }
  })
}

async function readMember(tx: ControlTransaction, tenantId: string, userId: string): Promise<Member> {
  const [row] = await tx.query<MemberRow>(`${selectMember} AND m.user_id = $2 FOR UPDATE OF m`, [
    tenantId,
    userId,
  ])
  if (!row) throw errors.recordNotFound({ entity: 'member', id: userId })
  return memberFromRow(row)
}

// Changes of one tenant's members take turns on the tenant's row, and the caller's role is read again behind it: what
// the request came with may be from before another's change, and two owners could remove each other by it.
async function lockMembers(tx: ControlTransaction, by: Located): Promise<Located> {
  if (!isInScopes(by.scopes, 'tenant.members.manage'))
    throw errors.scopeRequired({ permission: 'tenant.members.manage' })
  await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [by.tenant.id])
  const [own] = await tx.query<{ role: MembershipRole }>(
    'SELECT role FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE',
    [by.tenant.id, by.actor.id],
  )
  if (!own) throw errors.tenantNotFound({ tenant: by.tenant.slug })
  return { ...by, role: own.role }
}

/** Behind `lockMembers`: nobody else makes or unmakes an owner meanwhile. */
async function keepAnOwner(tx: ControlTransaction, tenantId: string, leaving: string): Promise<void> {
  const owners = await tx.query<{ user_id: string }>(
    `SELECT user_id FROM kernel.membership WHERE tenant_id = $1 AND role = 'owner' FOR UPDATE`,
    [tenantId],
  )
  if (owners.every((owner) => owner.user_id === leaving)) throw errors.lastOwner({})
}

async function recordChange(
  tx: ControlTransaction,
  by: Located,
  userId: string,
  action: string,
  change: { before?: object; after?: object },
): Promise<void> {
  await tx.audit({
    tenantId: by.tenant.id,
    ...auditedBy(by),
    entity: 'membership',
    recordId: userId,
    action,
    ...change,
  })
  await tx.announce({ kind: 'member', id: membershipKey(by.tenant.id, userId) })
}

/** Admins manage members; only an owner makes or unmakes an owner. */
function mayAssign(by: Located, role: MembershipRole): void {
  const isAbove = by.role === 'owner' || (by.role === 'admin' && role !== 'owner')
  // An admin may do everything. Whoever is denied something does not make, or unmake, one who is not.
  const isWithin = role === 'member' || holdsEverything({ ...by.grants, role: by.role })
  if (isAbove && isWithin) return
  throw errors.forbidden({ permission: `tenant.members.${role}` })
}

/** Adds a person who already has an account. */
export async function addMember(
  runControl: RunControl,
  by: Located,
  input: { readonly email: string; readonly role: MembershipRole },
): Promise<Member> {
  return runControl(async (tx) => {
    mayAssign(await lockMembers(tx, by), input.role)
    const [user] = await tx.query<{ id: string }>(
      'SELECT id FROM identity."user" WHERE lower(email) = lower($1)',
      [input.email],
    )
    if (!user) {
      const message = 'Nobody has signed up with this address yet.'
      throw errors.validation({ errors: [{ field: 'email', code: 'UNKNOWN_USER', message }] })
    }
    const added = await tx.query(
      `INSERT INTO kernel.membership (tenant_id, user_id, role) VALUES ($1, $2, $3)
       ON CONFLICT DO NOTHING RETURNING user_id`,
      [by.tenant.id, user.id, input.role],
    )
    if (added.length === 0) throw errors.recordConflict({ entity: 'member', fields: ['email'] })
    const member = await readMember(tx, by.tenant.id, user.id)
    await recordChange(tx, by, user.id, 'added', { after: member })
    return member
  })
}

export async function changeRole(
  runControl: RunControl,
  by: Located,
  userId: string,
  role: MembershipRole,
): Promise<Member> {
  return runControl(async (tx) => {
    const caller = await lockMembers(tx, by)
    const before = await readMember(tx, by.tenant.id, userId)
    mayAssign(caller, before.role)
    mayAssign(caller, role)
    if (before.role === 'owner' && role !== 'owner') await keepAnOwner(tx, by.tenant.id, userId)
    await tx.query('UPDATE kernel.membership SET role = $3 WHERE tenant_id = $1 AND user_id = $2', [
      by.tenant.id,
      userId,
      role,
    ])
    const after = { ...before, role }
    await recordChange(tx, by, userId, 'changed', { before, after })
    return after
  })
}

/** Admins remove members; everybody may leave, but for the last owner. */
export async function removeMember(runControl: RunControl, by: Located, userId: string): Promise<void> {
  await runControl(async (tx) => {
    const caller = await lockMembers(tx, by)
    const before = await readMember(tx, by.tenant.id, userId)
    if (userId !== by.actor.id) mayAssign(caller, before.role)
    if (before.role === 'owner') await keepAnOwner(tx, by.tenant.id, userId)
    await tx.query('DELETE FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2', [
      by.tenant.id,
      userId,
    ])
    // His keys do not come back with him, should he be added again.
    const keys = await tx.query<{ id: string }>(
      `UPDATE kernel.api_key SET revoked_at = now()
        WHERE tenant_id = $1 AND owner_id = $2 AND revoked_at IS NULL RETURNING id`,
      [by.tenant.id, userId],
    )
    for (const { id } of keys) await tx.announce({ kind: 'session', id: `key:${id}` })
    await recordChange(tx, by, userId, 'removed', { before })
  })
}
