// What somebody may do in a module who is not the caller: it is his right that counts, as it is now.
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { MembershipRole, Tenant } from '../stages.ts'
import { type Ability, buildAbility } from './build-ability.ts'
import type { GrantDirectory } from './grant-directory.ts'
import { grantsOf } from './grants.ts'

interface Parts {
  readonly directory: { roleOf(tenantId: string, userId: string): Promise<MembershipRole | undefined> }
  readonly grants: GrantDirectory
}

/** Nothing at all, for who is no member. */
export const memberAbilities =
  ({ directory, grants }: Parts) =>
  async (
    tenant: Pick<Tenant, 'id'>,
    userId: string,
    plugin: Pick<LoadedPlugin, 'manifest'>,
  ): Promise<Ability> => {
    const role = await directory.roleOf(tenant.id, userId)
    if (!role) return buildAbility(plugin.manifest, grantsOf('member', userId), [])
    return buildAbility(plugin.manifest, await grants.grantsOf(tenant.id, userId, role))
  }
