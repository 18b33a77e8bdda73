// Who belongs to a tenant, and with which role. A tenant always keeps an owner.
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { lockAccess } from '../permissions/lock-access.ts'
import { holdsEverything } from '../permissions/may-grant.ts'
import { isInScopes } from '../permissions/scopes.ts'
import { isGivenInTenant, requirePerson, requireUncut } from '../permissions/tenant-permissions.ts'
import type { Located, MembershipRole } from '../stages.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'
import { membershipKey } from './tenant-directory.ts'

export interface Member {
  readonly userId: string
  readonly name: string
  readonly email: string
  readonly role: MembershipRole
  /** False: he keeps his place, and cannot enter. */
  readonly active: boolean
  readonly since: string
}

type MemberRow = Omit<Member, 'userId' | 'since'> & { user_id: string; created_at: Date }

const selectMember = `
  SELECT m.user_id, u.name, u.email, m.role, m.active, m.created_at
    FROM (SELECT tenant_id, user_id, role, true AS active, created_at FROM kernel.membership
          UNION ALL SELECT tenant_id, user_id, role, false, created_at FROM kernel.inactive_member) m
    JOIN identity."user" u ON u.id = m.user_id
   WHERE m.tenant_id = $1`

const memberFromRow = (row: MemberRow): Member => ({
  userId: row.user_id,
  name: row.name,
  email: row.email,
  role: row.role,
  active: row.active,
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

export const getMember = (runControl: RunControl, tenantId: string, userId: string): Promise<Member> =>
  runControl((tx) => readMember(tx, tenantId, userId))

/** Behind `lockMembers`. */
export async function readMember(tx: ControlTransaction, tenantId: string, userId: string): Promise<Member> {
  // Others than this file change a member too: what is read here stays so until the transaction ends.
  await tx.query('SELECT FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE', [
    tenantId,
    userId,
  ])
  const [row] = await tx.query<MemberRow>(`${selectMember} AND m.user_id = $2`, [tenantId, userId])
  if (!row) throw errors.recordNotFound({ entity: 'member', id: userId })
  return memberFromRow(row)
}

// Changes of one tenant's members take turns on the tenant's row, and what the caller holds is read again behind it: what
// the request came with may be from before another's change, and two owners could remove each other by it.
export async function lockMembers(tx: ControlTransaction, by: Located): Promise<Located> {
  if (!isInScopes(by.scopes, 'tenant.members.manage'))
    throw errors.scopeRequired({ permission: 'tenant.members.manage' })
  const grants = await lockAccess(tx, by)
  return { ...by, role: grants.role, grants }
}

/** Behind `lockMembers`: nobody else makes or unmakes an owner meanwhile. */
export async function keepAnOwner(tx: ControlTransaction, tenantId: string, leaving: string): Promise<void> {
  const owners = await tx.query<{ user_id: string }>(
    `SELECT user_id FROM kernel.membership WHERE tenant_id = $1 AND role = 'owner' FOR UPDATE`,
    [tenantId],
  )
  if (owners.every((owner) => owner.user_id === leaving)) throw errors.lastOwner({})
}

export async function recordChange(
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

/**
 * The permission that he lacks who would make or unmake somebody with such a role. Admins manage members, where no role denies
 * it to them; only an owner makes or unmakes an owner.
 */
export function missingToAssign(
  { grants }: Pick<Located, 'grants'>,
  role: MembershipRole,
): string | undefined {
  const isAbove = grants.role === 'owner' || (grants.role === 'admin' && role !== 'owner')
  // An admin may do everything. Whoever is denied something does not make, or unmake, one who is not.
  const isWithin = role === 'member' || holdsEverything(grants)
  if (!isAbove || !isWithin) return `tenant.members.${role}`
  return isGivenInTenant(grants, 'tenant.members.manage') ? undefined : 'tenant.members.manage'
}

/** @throws FORBIDDEN */
export function mayAssign(by: Pick<Located, 'grants'>, role: MembershipRole): void {
  const permission = missingToAssign(by, role)
  if (permission !== undefined) throw errors.forbidden({ permission })
}

/**
 * A credential that is cut makes nobody who may do what it may not, and a key nobody who does more when it is revoked.
 * @throws SCOPE_REQUIRED, PERSON_REQUIRED
 */
export function mayPromote(by: Located, role: MembershipRole): void {
  if (role === 'member') return
  requireUncut(by)
  requirePerson(by)
}

/** Adds a person who already has an account. */
export async function addMember(
  runControl: RunControl,
  by: Located,
  input: { readonly email: string; readonly role: MembershipRole },
): Promise<Member> {
  mayPromote(by, input.role)
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
    const inactive = await tx.query(
      'SELECT FROM kernel.inactive_member WHERE tenant_id = $1 AND user_id = $2',
      [by.tenant.id, user.id],
    )
    if (added.length === 0 || inactive.length > 0)
      throw errors.recordConflict({ entity: 'member', fields: ['email'] })
    const member = await readMember(tx, by.tenant.id, user.id)
    await recordChange(tx, by, user.id, 'added', { after: member })
    return member
  })
}

/** Where a person stands as one of a tenant. */
const membershipTables = [
  'kernel.membership',
  'kernel.inactive_member',
  'kernel.scim_user',
  'kernel.scim_group_member',
] as const

type MemberKey = readonly [tenantId: string, userId: string]

/** Takes all of him out of the tenant. His keys do not come back with him, should he be added again. */
export async function dropMember(tx: ControlTransaction, key: MemberKey): Promise<void> {
  for (const table of membershipTables)
    await tx.query(`DELETE FROM ${table} WHERE tenant_id = $1 AND user_id = $2`, key)
  const keys = await tx.query<{ id: string }>(
    `UPDATE kernel.api_key SET revoked_at = now()
      WHERE tenant_id = $1 AND owner_id = $2 AND revoked_at IS NULL RETURNING id`,
    key,
  )
  for (const { id } of keys) await tx.announce({ kind: 'session', id: `key:${id}` })
}

/** Takes him from among the members. What he had lent and borrowed ends with that; his roles are kept for later. */
export async function deactivate(tx: ControlTransaction, key: MemberKey): Promise<void> {
  await tx.query(
    `INSERT INTO kernel.inactive_member (tenant_id, user_id, role, created_at, role_ids, provider_role_ids)
     SELECT m.tenant_id, m.user_id, m.role, m.created_at,
            ARRAY(SELECT r.role_id FROM kernel.member_role r WHERE r.tenant_id = $1 AND r.user_id = $2),
            ARRAY(SELECT r.role_id FROM kernel.member_role r
                   WHERE r.tenant_id = $1 AND r.user_id = $2 AND r.origin = 'provider')
       FROM kernel.membership m WHERE m.tenant_id = $1 AND m.user_id = $2`,
    key,
  )
  await tx.query('DELETE FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2', key)
}

/** Puts him back, with those of his roles that there still are. */
export async function activate(tx: ControlTransaction, key: MemberKey, by: string): Promise<void> {
  const [kept] = await tx.query<{ role_ids: string[]; provider_role_ids: string[] }>(
    `WITH kept AS (DELETE FROM kernel.inactive_member WHERE tenant_id = $1 AND user_id = $2 RETURNING *),
          member AS (INSERT INTO kernel.membership (tenant_id, user_id, role, created_at)
                     SELECT tenant_id, user_id, role, created_at FROM kept)
     SELECT role_ids, provider_role_ids FROM kept`,
    key,
  )
  await tx.query(
    `INSERT INTO kernel.member_role (tenant_id, user_id, role_id, assigned_by, origin)
     SELECT tenant_id, $2, id, $3, CASE WHEN id = ANY ($5) THEN 'provider' ELSE 'hand' END
       FROM kernel.role WHERE tenant_id = $1 AND id = ANY ($4)`,
    [...key, by, kept?.role_ids ?? [], kept?.provider_role_ids ?? []],
  )
}

export interface MemberChange {
  readonly role?: MembershipRole
  readonly active?: boolean
}

/**
 * A member who is deactivated is out with the next request, in every process, whatever he is signed in with. `expect` is given
 * the member as he is before, and may refuse.
 */
export async function changeMember(
  runControl: RunControl,
  by: Located,
  userId: string,
  change: MemberChange,
  expect: (before: Member) => void = () => undefined,
): Promise<Member> {
  return runControl(async (tx) => {
    const caller = await lockMembers(tx, by)
    const tenantId = by.tenant.id
    const before = await readMember(tx, tenantId, userId)
    const { role = before.role, active = before.active } = change
    mayAssign(caller, before.role)
    mayAssign(caller, role)
    expect(before)
    if (role !== before.role || (active && !before.active)) mayPromote(by, role)
    const isLost = before.active && before.role === 'owner' && (role !== 'owner' || !active)
    if (isLost) await keepAnOwner(tx, tenantId, userId)
    if (active && !before.active) await activate(tx, [tenantId, userId], by.actor.id)
    if (!active && before.active) await deactivate(tx, [tenantId, userId])
    for (const table of ['kernel.membership', 'kernel.inactive_member'])
      await tx.query(`UPDATE ${table} SET role = $3 WHERE tenant_id = $1 AND user_id = $2`, [
        tenantId,
        userId,
        role,
      ])
    const after = { ...before, role, active }
    const action = active === before.active ? 'changed' : active ? 'activated' : 'deactivated'
    await recordChange(tx, by, userId, action, { before, after })
    return after
  })
}

/** Admins remove members; everybody may leave, but for the last owner. */
export async function removeMember(
  runControl: RunControl,
  by: Located,
  userId: string,
  expect: (before: Member) => void = () => undefined,
): Promise<void> {
  await runControl(async (tx) => {
    const caller = await lockMembers(tx, by)
    const before = await readMember(tx, by.tenant.id, userId)
    if (userId !== by.actor.id) mayAssign(caller, before.role)
    expect(before)
    if (before.active && before.role === 'owner') await keepAnOwner(tx, by.tenant.id, userId)
    await dropMember(tx, [by.tenant.id, userId])
    await recordChange(tx, by, userId, 'removed', { before })
  })
}
