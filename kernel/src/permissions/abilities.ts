// Abilities are built once for a person, role and module version, and kept: building one costs about 50 µs.
import { LRUCache } from 'lru-cache'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located } from '../stages.ts'
import { type Ability, buildAbility } from './build-ability.ts'

const kept = 20_000

export function createAbilities(): (located: Located, plugin: LoadedPlugin) => Ability {
  const abilities = new LRUCache<string, Ability>({ max: kept })
  return ({ role, actor }, plugin) => {
    const key = `${plugin.manifest.name} ${plugin.version} ${role} ${actor.id}`
    const known = abilities.get(key)
    if (known) return known
    const ability = buildAbility(plugin.manifest, role, actor.id)
    abilities.set(key, ability)
    return ability
  }
}
