// Whoever changes what people may do takes his turn on the tenant's row, and is asked again behind it what he may: what
// his request came with may be from before another's change.
import { errors } from '../errors.ts'
import type { Located, MembershipRole } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import type { Granted, Grants } from './grants.ts'
import { readGrants } from './read-grants.ts'
import { unasked } from './scope-source.ts'
import { requireTenantPermission, type TenantPermission } from './tenant-permissions.ts'

export const membershipOf = async (
  tx: ControlTransaction,
  tenantId: string,
  userId: string,
): Promise<MembershipRole | undefined> => {
  const [row] = await tx.query<{ role: MembershipRole }>(
    'SELECT role FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2 FOR UPDATE',
    [tenantId, userId],
  )
  return row?.role
}

/** What another member holds, and what he was lent for later: a pair is kept apart before it meets. @throws RECORD_NOT_FOUND */
export async function grantsOfMember(
  tx: ControlTransaction,
  tenantId: string,
  userId: string,
): Promise<Grants> {
  const role = await membershipOf(tx, tenantId, userId)
  if (!role) throw errors.recordNotFound({ entity: 'member', id: userId })
  return readGrants(tx.query, unasked, tenantId, userId, role, { isComing: true })
}

/** What the caller holds now. @throws FORBIDDEN, TENANT_NOT_FOUND */
export async function lockAccess(
  tx: ControlTransaction,
  by: Located,
  permission?: TenantPermission,
): Promise<Grants> {
  await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [by.tenant.id])
  const role = await membershipOf(tx, by.tenant.id, by.actor.id)
  if (!role) throw errors.tenantNotFound({ tenant: by.tenant.slug })
  const grants = await readGrants(tx.query, unasked, by.tenant.id, by.actor.id, role)
  if (permission !== undefined) requireTenantPermission({ ...by, grants }, permission)
  return grants
}

const rank: Readonly<Record<MembershipRole, number>> = { owner: 2, admin: 1, member: 0 }

/** Only owners change what owners have, and members nothing of admins. @throws FORBIDDEN */
export function refuseOutranked(by: Granted, target: Granted): void {
  if (rank[target.role] > rank[by.role])
    throw errors.forbidden({ permission: `tenant.members.${target.role}` })
}
