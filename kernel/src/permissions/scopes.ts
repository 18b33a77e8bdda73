// Scopes cut what a credential may do, whatever its owner may: names of permissions, as `finance.account.read`, or all
// of an area, as `finance.account.*`, `finance.*`, `tenant.*`. Without scopes nothing is cut.

/** `*` alone is everything. Linear: segments are separated by a character that none of them has. */
export const scopePattern = '^(?:\\*|[a-z][A-Za-z0-9-]{0,63}(?:\\.[a-z][A-Za-z0-9]{0,63}){0,3}(?:\\.\\*)?)$'

/** `permission` with its module: `finance.account.read`. */
export const isInScopes = (scopes: readonly string[] | undefined, permission: string): boolean =>
  scopes === undefined ||
  scopes.some(
    (scope) =>
      scope === permission ||
      scope === '*' ||
      (scope.endsWith('.*') && permission.startsWith(scope.slice(0, -1))),
  )

/** Whether they reach into an area, such as `tenant`, at all. */
export const touchesArea = (scopes: readonly string[] | undefined, area: string): boolean =>
  scopes === undefined || scopes.some((scope) => scope === '*' || scope.startsWith(`${area}.`))

/**
 * What every member may read of the tenant, and no role takes from him. A credential that is cut needs the scope, or one of
 * those that change what is read.
 */
export const readScopes = {
  'tenant.members.read': ['tenant.members.manage', 'tenant.roles.manage'],
  'tenant.modules.read': ['tenant.modules.manage'],
  'tenant.settings.read': ['tenant.settings.update'],
  'tenant.delegations.read': ['tenant.delegations.manage'],
  'tenant.absences.read': ['tenant.approvals.read', 'tenant.approvals.manage'],
  'tenant.approvals.read': ['tenant.approvals.manage'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export type ReadScope = keyof typeof readScopes

export const mayRead = (scopes: readonly string[] | undefined, scope: ReadScope): boolean =>
  [scope, ...readScopes[scope]].some((one) => isInScopes(scopes, one))

/** Nothing is cut by a list that has everything. */
export const cutBy = (scopes: readonly string[]): readonly string[] | undefined =>
  scopes.includes('*') ? undefined : scopes
