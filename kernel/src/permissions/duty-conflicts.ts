// Permissions that may not meet in one person: asked when he is given something, and of everybody for the report.
import type { Manifest } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { MembershipRole } from '../stages.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'
import { coversPermission } from './access-rule.ts'
import { buildAbility, permissionNames } from './build-ability.ts'
import { permissionCatalogue } from './check-rules.ts'
import type { GrantedRole, Grants } from './grants.ts'
import { grantsOfMember } from './lock-access.ts'
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

/** With what was lent to him, though its lender may have lost it now: it comes back when he has it again. */
const heldOrLent = (manifests: readonly Manifest[], grants: Grants): Set<string> =>
  new Set([
    ...heldPermissions(manifests, grants),
    ...permissionCatalogue(manifests).filter((name) =>
      grants.lent.some(({ permissions }) => permissions.some((lent) => coversPermission(lent, name))),
    ),
  ])

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
  const had = conflictsOf(duties, heldOrLent(manifests, before)).map(({ id }) => id)
  const met = conflictsOf(duties, heldOrLent(manifests, after)).find(({ id }) => !had.includes(id))
  if (met) throw errors.dutyConflict({ duty: met.title, first: met.first, second: met.second })
}

/**
 * As `refuseConflicts`, for everybody who has the role that was changed, or will have it when he is active again: people with
 * the same roles are one question, and who has borrowed is one of his own.
 */
export async function refuseForHolders(
  tx: ControlTransaction,
  tenantId: string,
  manifests: readonly Manifest[],
  roleId: string,
  before: Pick<GrantedRole, 'rules'>,
): Promise<void> {
  const refuse = (after: Grants) => {
    const had = after.roles.map((one) => (one.id === roleId ? { ...one, rules: before.rules } : one))
    return refuseConflicts(tx, tenantId, manifests, { ...after, roles: had }, after)
  }
  const sets = await tx.query<{ role: MembershipRole; roles: GrantedRole[] }>(
    `SELECT DISTINCT h.role, (SELECT jsonb_agg(jsonb_build_object('id', r.id, 'name', r.name, 'rules', r.rules) ORDER BY r.id)
              FROM kernel.role r WHERE r.tenant_id = $1 AND r.id = ANY (h.role_ids)) AS roles
       FROM (SELECT m.role, ARRAY(SELECT o.role_id FROM kernel.member_role o
                                   WHERE o.tenant_id = m.tenant_id AND o.user_id = m.user_id) AS role_ids
               FROM kernel.membership m WHERE m.tenant_id = $1
              UNION ALL SELECT role, role_ids FROM kernel.inactive_member WHERE tenant_id = $1) h
      WHERE $2 = ANY (h.role_ids)`,
    [tenantId, roleId],
  )
  for (const { role, roles } of sets) await refuse({ userId: '', role, roles, scopes: someScopes, lent: [] })
  const borrowers = await tx.query<{ id: string }>(
    `SELECT DISTINCT d.borrower AS id FROM kernel.delegation d
       JOIN kernel.member_role h ON h.tenant_id = d.tenant_id AND h.user_id = d.borrower AND h.role_id = $2
      WHERE d.tenant_id = $1 AND d.ended_at IS NULL AND d.ends_at > now() ORDER BY d.borrower`,
    [tenantId, roleId],
  )
  for (const { id } of borrowers) await refuse(await grantsOfMember(tx, tenantId, id))
}
