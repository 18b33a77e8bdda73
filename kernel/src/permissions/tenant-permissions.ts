// What a person may do to the tenant itself, beside what its modules let him do.
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import { coversPermission } from './access-rule.ts'
import type { Granted } from './grants.ts'

/** By name, as it stands in role rules, in audit and in the answer of a refusal. */
export const tenantPermissions = [
  'tenant.access.explain',
  'tenant.delegations.manage',
  'tenant.duties.manage',
  'tenant.modules.manage',
  'tenant.roles.manage',
  'tenant.secrets.manage',
  'tenant.settings.update',
  'tenant.usage.read',
] as const

export type TenantPermission = (typeof tenantPermissions)[number]

type Caller = Pick<Located, 'grants' | 'scopes'>

/** What his membership and his own roles say, without what was lent to him. */
export function holdsTenantPermission({ role, roles }: Granted, permission: string): boolean {
  // Nobody can lock an owner out of what only he can mend.
  if (role === 'owner') return true
  const rules = roles
    .flatMap((one) => one.rules)
    .filter((rule) => coversPermission(rule.permission, permission))
  if (rules.some(({ effect }) => effect === 'deny')) return false
  return role === 'admin' || rules.length > 0
}

/** Permissions of the tenant itself are never lent: see delegations.ts. */
export function mayInTenant({ grants, scopes }: Caller, permission: TenantPermission): boolean {
  if (scopes && !scopes.some((name) => coversPermission(name, permission))) return false
  return holdsTenantPermission(grants, permission)
}

/** Owners hold every one; admins, but for what a role denies them. @throws FORBIDDEN */
export function requireTenantPermission(caller: Caller, permission: TenantPermission): void {
  if (!mayInTenant(caller, permission)) throw errors.forbidden({ permission })
}
