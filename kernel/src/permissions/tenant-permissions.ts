// What a person may do to the tenant itself, beside what its modules let him do.
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'

/** By name, as it stands in role rules, in audit and in the answer of a refusal. */
export const tenantPermissions = [
  'tenant.domains.manage',
  'tenant.modules.manage',
  'tenant.profile.update',
  'tenant.secrets.manage',
  'tenant.settings.update',
  'tenant.usage.read',
] as const

export type TenantPermission = (typeof tenantPermissions)[number]

/** Owners and admins hold every one. @throws FORBIDDEN */
export function requireTenantPermission({ role }: Pick<Located, 'role'>, permission: TenantPermission): void {
  if (role === 'member') throw errors.forbidden({ permission })
}
