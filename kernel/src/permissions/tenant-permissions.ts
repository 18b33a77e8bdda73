// What a person may do to the tenant itself, beside what its modules let him do.
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'

/** By name, as it stands in role rules, in audit and in the answer of a refusal. */
export const tenantPermissions = [
  'tenant.audit.personal',
  'tenant.audit.read',
  'tenant.modules.manage',
  'tenant.secrets.manage',
  'tenant.settings.update',
  'tenant.usage.read',
] as const

export type TenantPermission = (typeof tenantPermissions)[number]

/** An admin does not hold them. */
const ownersAlone: readonly TenantPermission[] = ['tenant.audit.personal']

/** Owners hold every one, admins nearly all. */
export const holdsTenantPermission = (
  { role }: Pick<Located, 'role'>,
  permission: TenantPermission,
): boolean => role === 'owner' || (role === 'admin' && !ownersAlone.includes(permission))

/** @throws FORBIDDEN */
export function requireTenantPermission(by: Pick<Located, 'role'>, permission: TenantPermission): void {
  if (!holdsTenantPermission(by, permission)) throw errors.forbidden({ permission })
}
