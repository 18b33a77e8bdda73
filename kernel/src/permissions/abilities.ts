// Abilities are built once for a person, role and loaded plugin, and kept: building one costs about 50 µs.
import { LRUCache } from 'lru-cache'
import { allStand, type DefencesOff } from '../defences.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located } from '../stages.ts'
import { type Ability, buildAbility } from './build-ability.ts'

const keptOfPlugin = 5_000

type Described = Pick<LoadedPlugin, 'manifest'>
interface Asker {
  readonly role: Located['role']
  readonly actor: Pick<Located['actor'], 'id'>
}

export function createAbilities(off: DefencesOff = allStand): (asker: Asker, plugin: Described) => Ability {
  // By the object: another package may come back under the same name and version, with other roles.
  const ofPlugins = new WeakMap<Described, LRUCache<string, Ability>>()
  return ({ role, actor }, plugin) => {
    const abilities = ofPlugins.get(plugin) ?? new LRUCache<string, Ability>({ max: keptOfPlugin })
    ofPlugins.set(plugin, abilities)
    const key = `${role} ${actor.id}`
    const known = abilities.get(key)
    if (known) return known
    const ability = buildAbility(plugin.manifest, off.has('ability') ? 'owner' : role, actor.id)
    abilities.set(key, ability)
    return ability
  }
}
