// What a person may do to the tenant itself, beside what its modules let him do.
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import { coversPermission } from './access-rule.ts'
import type { Granted } from './grants.ts'
import { holdsEverything } from './may-grant.ts'
import { isInScopes } from './scopes.ts'

/** By name, as it stands in role rules, in audit and in the answer of a refusal. */
export const tenantPermissions = [
  'tenant.approvals.manage',
  'tenant.approvals.read',
  'tenant.domains.manage',
  'tenant.export',
  'tenant.audit.personal',
  'tenant.audit.read',
  'tenant.access.explain',
  'tenant.delegations.manage',
  'tenant.duties.manage',
  'tenant.events.read',
  'tenant.jobs.manage',
  'tenant.jobs.read',
  'tenant.jobs.run',
  'tenant.modules.manage',
  'tenant.profile.update',
  'tenant.members.manage',
  'tenant.roles.manage',
  'tenant.secrets.manage',
  'tenant.serviceAccounts.manage',
  'tenant.settings.update',
  'tenant.singleSignOn.manage',
  'tenant.usage.read',
  'tenant.webhooks.manage',
] as const

export type TenantPermission = (typeof tenantPermissions)[number]

/** An admin does not hold them, unless a role gives them to him. */
const ownersAlone: readonly string[] = ['tenant.audit.personal'] satisfies TenantPermission[]

type Caller = Pick<Located, 'grants' | 'scopes'>

/** What his membership and his own roles say. What was lent to him is not asked: these are never lent. */
export function isGivenInTenant({ role, roles }: Granted, permission: string): boolean {
  // Nobody can lock an owner out of what only he can mend.
  if (role === 'owner') return true
  const rules = roles
    .flatMap((one) => one.rules)
    .filter((rule) => coversPermission(rule.permission, permission))
  if (rules.some(({ effect }) => effect === 'deny')) return false
  return rules.length > 0 || (role === 'admin' && !ownersAlone.includes(permission))
}

/** Owners hold every one, admins nearly all that no role denies them, and a credential no more than its scopes. */
export const holdsTenantPermission = ({ grants, scopes }: Caller, permission: TenantPermission): boolean =>
  isInScopes(scopes, permission) && isGivenInTenant(grants, permission)

/** @throws FORBIDDEN, SCOPE_REQUIRED */
export function requireTenantPermission(by: Caller, permission: TenantPermission): void {
  if (!isInScopes(by.scopes, permission)) throw errors.scopeRequired({ permission })
  if (!isGivenInTenant(by.grants, permission)) throw errors.forbidden({ permission })
}

/**
 * For what gives others rights that cannot be told beforehand: accounts and their keys, and who is let in by whom. Only who
 * holds everything himself gives no more than he has.
 * @throws FORBIDDEN, SCOPE_REQUIRED
 */
export function requireEverything({ grants, scopes }: Caller): void {
  requireUncut({ scopes })
  if (!holdsEverything(grants)) throw errors.forbidden({ permission: '*' })
}

/**
 * For what makes credentials or changes who gets in: a part of somebody's rights is not enough to make new ones.
 * @throws SCOPE_REQUIRED
 */
export function requireUncut({ scopes }: { readonly scopes?: readonly string[] | undefined }): void {
  if (scopes !== undefined) throw errors.scopeRequired({ permission: '*' })
}

/**
 * For what makes credentials, admins and loans, or says who vouches for people: it would go on when the key that did it is
 * revoked. @throws PERSON_REQUIRED
 */
export function requirePerson({ credential }: Pick<Located, 'credential'>): void {
  if (credential === 'key') throw errors.personRequired({})
}
