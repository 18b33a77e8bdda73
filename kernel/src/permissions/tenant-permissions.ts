// What a person may do to the tenant itself, beside what its modules let him do.
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import { isInScopes } from './scopes.ts'

/** By name, as it stands in role rules, in audit and in the answer of a refusal. */
export const tenantPermissions = [
  'tenant.domains.manage',
  'tenant.modules.manage',
  'tenant.profile.update',
  'tenant.members.manage',
  'tenant.secrets.manage',
  'tenant.serviceAccounts.manage',
  'tenant.settings.update',
  'tenant.singleSignOn.manage',
  'tenant.usage.read',
] as const

export type TenantPermission = (typeof tenantPermissions)[number]

/** Owners and admins hold every one, a credential no more than its scopes. @throws FORBIDDEN, SCOPE_REQUIRED */
export function requireTenantPermission(
  { role, scopes }: Pick<Located, 'role' | 'scopes'>,
  permission: TenantPermission,
): void {
  if (!isInScopes(scopes, permission)) throw errors.scopeRequired({ permission })
  if (role === 'member') throw errors.forbidden({ permission })
}

/**
 * For what makes credentials or changes who gets in: a part of somebody's rights is not enough to make new ones.
 * @throws SCOPE_REQUIRED
 */
export function requireUncut({ scopes }: Pick<Located, 'scopes'>): void {
  if (scopes !== undefined) throw errors.scopeRequired({ permission: '*' })
}
