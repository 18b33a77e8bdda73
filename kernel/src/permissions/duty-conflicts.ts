// Permissions that may not meet in one person: asked when he is given something, and of everybody for the report.
import type { Manifest } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { MembershipRole } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { buildAbility, permissionNames } from './build-ability.ts'
import type { GrantedRole, Grants } from './grants.ts'
import { someScopes } from './scope-source.ts'
import { holdsTenantPermission, tenantPermissions } from './tenant-permissions.ts'

export interface Duty {
  readonly id: string
  readonly title: string
  readonly first: string
  readonly second: string
  readonly within: 'person' | 'record'
}

/** Every permission that a person holds, for some records at least. */
export function heldPermissions(
  manifests: readonly Manifest[],
  grants: Grants,
  limits?: readonly string[],
): Set<string> {
  const somewhere: Grants = {
    ...grants,
    scopes: someScopes,
    lent: grants.lent.map((loan) => ({ ...loan, by: { ...loan.by, scopes: someScopes } })),
  }
  const caller = { grants, ...(limits ? { scopes: limits } : {}) }
  return new Set([
    ...tenantPermissions.filter((name) => holdsTenantPermission(caller, name)),
    ...manifests.flatMap((manifest) =>
      permissionNames(manifest, buildAbility(manifest, somewhere, limits)).map(
        (name) => `${manifest.name}.${name}`,
      ),
    ),
  ])
}

export function conflictsOf(duties: readonly Duty[], held: ReadonlySet<string>): Duty[] {
  return duties.filter((duty) => duty.within === 'person' && held.has(duty.first) && held.has(duty.second))
}

export const dutiesOf = (tx: Pick<ControlTransaction, 'query'>, tenantId: string): Promise<Duty[]> =>
  tx.query<Duty & { [column: string]: unknown }>(
    'SELECT id, title, first, second, within FROM kernel.duty WHERE tenant_id = $1 ORDER BY id',
    [tenantId],
  )

/** @throws DUTY_CONFLICT for a pair that `after` brings together and `before` did not */
export async function refuseConflicts(
  tx: ControlTransaction,
  tenantId: string,
  manifests: readonly Manifest[],
  before: Grants,
  after: Grants,
): Promise<void> {
  const duties = await dutiesOf(tx, tenantId)
  if (duties.length === 0) return
  const had = conflictsOf(duties, heldPermissions(manifests, before)).map(({ id }) => id)
  const met = conflictsOf(duties, heldPermissions(manifests, after)).find(({ id }) => !had.includes(id))
  if (met) throw errors.dutyConflict({ duty: met.title, first: met.first, second: met.second })
}

/** As `refuseConflicts`, for everybody who has the role that was changed: people with the same roles are one question. */
export async function refuseForHolders(
  tx: ControlTransaction,
  tenantId: string,
  manifests: readonly Manifest[],
  roleId: string,
  before: Pick<GrantedRole, 'rules'>,
): Promise<void> {
  const sets = await tx.query<{ role: MembershipRole; roles: GrantedRole[] }>(
    `SELECT DISTINCT m.role, (SELECT jsonb_agg(jsonb_build_object('id', r.id, 'name', r.name, 'rules', r.rules) ORDER BY r.id)
              FROM kernel.member_role o JOIN kernel.role r ON r.tenant_id = o.tenant_id AND r.id = o.role_id
             WHERE o.tenant_id = h.tenant_id AND o.user_id = h.user_id) AS roles
       FROM kernel.member_role h JOIN kernel.membership m ON m.tenant_id = h.tenant_id AND m.user_id = h.user_id
      WHERE h.tenant_id = $1 AND h.role_id = $2`,
    [tenantId, roleId],
  )
  for (const { role, roles } of sets) {
    const after: Grants = { userId: '', role, roles, scopes: someScopes, lent: [] }
    const had = roles.map((one) => (one.id === roleId ? { ...one, rules: before.rules } : one))
    await refuseConflicts(tx, tenantId, manifests, { ...after, roles: had }, after)
  }
}
