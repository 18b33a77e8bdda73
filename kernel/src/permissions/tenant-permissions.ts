// What a person may do to the tenant itself, beside what its modules let him do.
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import { isInScopes } from './scopes.ts'

/** By name, as it stands in role rules, in audit and in the answer of a refusal. */
export const tenantPermissions = [
  'tenant.domains.manage',
  'tenant.audit.personal',
  'tenant.audit.read',
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

/** An admin does not hold them. */
const ownersAlone: readonly TenantPermission[] = ['tenant.audit.personal']

type Asking = Pick<Located, 'role' | 'scopes'>

/** Owners hold every one and admins nearly all, a credential no more than its scopes. */
export const holdsTenantPermission = ({ role, scopes }: Asking, permission: TenantPermission): boolean =>
  isInScopes(scopes, permission) &&
  (role === 'owner' || (role === 'admin' && !ownersAlone.includes(permission)))

/** @throws FORBIDDEN, SCOPE_REQUIRED */
export function requireTenantPermission(by: Asking, permission: TenantPermission): void {
  if (!isInScopes(by.scopes, permission)) throw errors.scopeRequired({ permission })
  if (!holdsTenantPermission(by, permission)) throw errors.forbidden({ permission })
}

/**
 * For what makes credentials or changes who gets in: a part of somebody's rights is not enough to make new ones.
 * @throws SCOPE_REQUIRED
 */
export function requireUncut({ scopes }: Pick<Located, 'scopes'>): void {
  if (scopes !== undefined) throw errors.scopeRequired({ permission: '*' })
}
