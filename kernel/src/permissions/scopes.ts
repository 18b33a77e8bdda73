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

/** Nothing is cut by a list that has everything. */
export const cutBy = (scopes: readonly string[]): readonly string[] | undefined =>
  scopes.includes('*') ? undefined : scopes
