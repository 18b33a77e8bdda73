// The roles a tenant can see: the three of memberships, those that its modules suggest, and its own.
import type { Manifest } from '@plinth/sdk'
import { errors } from '../errors.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { AccessRule } from './access-rule.ts'
import { manifestRules } from './build-ability.ts'
import { type RoleRow, readRole, roleFromRow, selectRole, type TenantRole } from './change-roles.ts'

const all = (manifests: readonly Manifest[]): AccessRule[] =>
  [...manifests.map(({ name }) => `${name}.*`), 'tenant.*'].map((permission) => ({
    permission,
    effect: 'allow',
  }))

const fixed = (
  kind: TenantRole['kind'],
  id: string,
  name: string,
  description: string,
  rules: AccessRule[],
) => ({
  id,
  kind,
  name,
  description,
  rules,
  version: 1,
})

/** What nobody made here and nobody can change: memberships, and templates by `<module>.<role>`. */
export function fixedRoles(manifests: readonly Manifest[]): TenantRole[] {
  return [
    fixed('builtin', 'owner', 'Owner', 'Everything; a tenant always has one.', all(manifests)),
    fixed('builtin', 'admin', 'Admin', 'Everything but what is the owners’.', all(manifests)),
    fixed(
      'builtin',
      'member',
      'Member',
      'What each module lets its members do.',
      manifests.flatMap((manifest) => manifestRules(manifest, 'member')),
    ),
    ...manifests.flatMap((manifest) =>
      Object.entries(manifest.roles).map(([key, { title }]) =>
        fixed(
          'template',
          `${manifest.name}.${key}`,
          `${manifest.title}: ${title}`,
          'Suggested by the module. Copy its rules into a role of your own.',
          manifestRules(manifest, key),
        ),
      ),
    ),
  ]
}

/** The fixed ones first, then the tenant's own by age. */
export async function listRoles(
  runControl: RunControl,
  manifests: readonly Manifest[],
  tenantId: string,
  { limit, cursor = '' }: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: TenantRole[]; cursor?: string }> {
  const known = fixedRoles(manifests)
  const at = known.findIndex(({ id }) => id === cursor)
  const isOwn = /^[0-9a-f-]{36}$/.test(cursor)
  if (cursor !== '' && at < 0 && !isOwn) throw errors.cursorInvalid({})
  const first = isOwn ? [] : known.slice(at + 1)
  const rows = await runControl((tx) =>
    tx.query<RoleRow>(`${selectRole} AND r.id > $2 ORDER BY r.id LIMIT $3`, [
      tenantId,
      isOwn ? cursor : '00000000-0000-0000-0000-000000000000',
      limit + 1,
    ]),
  )
  const found = [...first, ...rows.map(roleFromRow)]
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return found.length > limit && last ? { items, cursor: last.id } : { items }
}

/** @throws RECORD_NOT_FOUND */
export async function findRole(
  runControl: RunControl,
  manifests: readonly Manifest[],
  { tenant }: Located,
  id: string,
): Promise<TenantRole> {
  const known = fixedRoles(manifests).find((role) => role.id === id)
  return known ?? runControl((tx) => readRole(tx, tenant.id, id))
}
