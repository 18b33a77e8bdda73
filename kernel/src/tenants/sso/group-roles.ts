// What groups of the identity provider give: a membership, and roles of the tenant's own. A provider makes nobody an owner.
import type { Manifest } from '@plinth/sdk'
import type { DefencesOff } from '../../defences.ts'
import { errors } from '../../errors.ts'
import { type RoleRow, roleFromRow, selectRole, type TenantRole } from '../../permissions/change-roles.ts'
import type { Granted } from '../../permissions/grants.ts'
import { refuseUngranted } from '../../permissions/may-grant.ts'
import type { ControlTransaction } from '../control-transaction.ts'

export type SsoRole = 'admin' | 'member'

/** By name of a group: `admin`, `member`, ids of the tenant's own roles, or several of these. */
export type GroupRoles = Readonly<Record<string, string | readonly string[]>>

export interface Mapping {
  readonly defaultRole: SsoRole
  readonly groupRoles: GroupRoles
}

export interface GivenByGroups {
  readonly membership: SsoRole
  /** Whether a group named the membership, and it is not the default one. */
  readonly isNamed: boolean
  readonly roleIds: readonly string[]
}

const mostMappedRoles = 50

const isMembership = (role: string): role is SsoRole => role === 'admin' || role === 'member'

export const isMapped = ({ groupRoles }: Pick<Mapping, 'groupRoles'>, group: string): boolean =>
  Object.hasOwn(groupRoles, group)

/** The highest membership of the groups, or the default one, and every role of theirs. */
export function givenByGroups(mapping: Mapping, groups: readonly string[]): GivenByGroups {
  const given = groups.flatMap((group) => (isMapped(mapping, group) ? (mapping.groupRoles[group] ?? []) : []))
  const memberships = given.filter(isMembership)
  return {
    membership: memberships.includes('admin') ? 'admin' : (memberships[0] ?? mapping.defaultRole),
    isNamed: memberships.length > 0,
    roleIds: [...new Set(given.filter((role) => !isMembership(role)))].sort(),
  }
}

/** Those of the roles that there still are, by id. */
export async function readRoles(
  tx: ControlTransaction,
  tenantId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, TenantRole>> {
  if (ids.length === 0) return new Map()
  const text = `${selectRole} AND r.id = ANY ($2) ORDER BY r.id FOR UPDATE OF r`
  const rows = await tx.query<RoleRow>(text, [tenantId, ids])
  return new Map(rows.map((row) => [row.id, roleFromRow(row)]))
}

/** Who connects a provider gives what its groups give. @throws VALIDATION_FAILED, FORBIDDEN */
export async function refuseUngrantedGroups(
  tx: ControlTransaction,
  tenantId: string,
  groupRoles: GroupRoles,
  caller: Granted,
  manifests: readonly Manifest[],
  off: DefencesOff,
): Promise<void> {
  const { roleIds } = givenByGroups({ groupRoles, defaultRole: 'member' }, Object.keys(groupRoles))
  if (roleIds.length > mostMappedRoles)
    throw errors.tooMany({ what: 'roles that groups give', most: mostMappedRoles })
  const known = await readRoles(tx, tenantId, roleIds)
  const unknown = roleIds.find((id) => !known.has(id))
  if (unknown !== undefined) {
    const group = Object.keys(groupRoles).find((name) => [groupRoles[name]].flat().includes(unknown))
    const message = `'${unknown}' is no role of this tenant`
    throw errors.validation({ errors: [{ field: `groupRoles.${group}`, code: 'INVALID', message }] })
  }
  for (const { rules } of known.values()) refuseUngranted(caller, manifests, rules, undefined, off)
}
