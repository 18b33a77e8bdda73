// Who has which roles, beside his membership.
import type { Manifest } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import { readRole, type TenantRole } from './change-roles.ts'
import { refuseConflicts } from './duty-conflicts.ts'
import { grantsOfMember, lockAccess, refuseOutranked } from './lock-access.ts'
import { type GrantParts, lifted, refuseUngranted } from './may-grant.ts'
import { recordAccess } from './record-access.ts'

export const mostRolesOfOne = 50

export interface AssignedRole {
  readonly id: string
  readonly name: string
  /** `provider`: by a group of the tenant's identity provider, which takes it away again. */
  readonly origin: 'hand' | 'provider'
}

const named = ({ id, name }: TenantRole) => ({ id, name })

async function originsOf(tx: ControlTransaction, tenantId: string, userId: string) {
  const rows = await tx.query<{ id: string; origin: AssignedRole['origin'] }>(
    'SELECT role_id AS id, origin FROM kernel.member_role WHERE tenant_id = $1 AND user_id = $2',
    [tenantId, userId],
  )
  return new Map(rows.map(({ id, origin }) => [id, origin]))
}

/** The roles of a member, and his membership's. @throws RECORD_NOT_FOUND */
export async function rolesOfMember(runControl: RunControl, tenantId: string, userId: string) {
  return runControl(async (tx) => {
    const grants = await grantsOfMember(tx, tenantId, userId)
    const origins = await originsOf(tx, tenantId, userId)
    const items = grants.roles.map(
      ({ id, name }): AssignedRole => ({ id, name, origin: origins.get(id) ?? 'hand' }),
    )
    return { membership: grants.role, items }
  })
}

/** What the caller holds, the role, and what the member has, until the transaction ends. @throws FORBIDDEN, RECORD_NOT_FOUND */
async function lockAssignment(tx: ControlTransaction, by: Located, userId: string, roleId: string) {
  const caller = await lockAccess(tx, by, 'tenant.roles.manage')
  const role = await readRole(tx, by.tenant.id, roleId)
  const member = await grantsOfMember(tx, by.tenant.id, userId)
  refuseOutranked(caller, member)
  return { caller, role, member }
}

/** Giving a role that he has already changes nothing, but that he keeps it whatever his identity provider says. */
export async function assignRole(
  { runControl, off }: GrantParts,
  manifests: readonly Manifest[],
  by: Located,
  userId: string,
  roleId: string,
): Promise<void> {
  await runControl(async (tx) => {
    const { caller, role, member } = await lockAssignment(tx, by, userId, roleId)
    refuseUngranted(caller, manifests, role.rules, by.scopes, off)
    if (member.roles.some(({ id }) => id === role.id)) {
      const kept = await tx.query(
        `UPDATE kernel.member_role SET origin = 'hand', assigned_by = $4
          WHERE tenant_id = $1 AND user_id = $2 AND role_id = $3 AND origin = 'provider' RETURNING role_id`,
        [by.tenant.id, userId, role.id, by.actor.id],
      )
      if (kept.length > 0)
        await recordAccess(tx, by, 'member_role', userId, 'assigned', { after: named(role) })
      return
    }
    if (member.roles.length >= mostRolesOfOne)
      throw errors.tooMany({ what: 'roles of a member', most: mostRolesOfOne })
    await refuseConflicts(tx, by.tenant.id, manifests, member, { ...member, roles: [...member.roles, role] })
    await tx.query(
      'INSERT INTO kernel.member_role (tenant_id, user_id, role_id, assigned_by) VALUES ($1, $2, $3, $4)',
      [by.tenant.id, userId, role.id, by.actor.id],
    )
    await recordAccess(tx, by, 'member_role', userId, 'assigned', { after: named(role) })
  })
}

export async function unassignRole(
  { runControl, off }: GrantParts,
  manifests: readonly Manifest[],
  by: Located,
  userId: string,
  roleId: string,
): Promise<void> {
  await runControl(async (tx) => {
    const { caller, role, member } = await lockAssignment(tx, by, userId, roleId)
    refuseUngranted(caller, manifests, lifted(role.rules), by.scopes, off)
    // What the role denied him may be one of a pair.
    const roles = member.roles.filter(({ id }) => id !== role.id)
    await refuseConflicts(tx, by.tenant.id, manifests, member, { ...member, roles })
    const gone = await tx.query(
      'DELETE FROM kernel.member_role WHERE tenant_id = $1 AND user_id = $2 AND role_id = $3 RETURNING role_id',
      [by.tenant.id, userId, role.id],
    )
    if (gone.length === 0) throw errors.recordNotFound({ entity: 'role of the member', id: roleId })
    await recordAccess(tx, by, 'member_role', userId, 'unassigned', { before: named(role) })
  })
}
