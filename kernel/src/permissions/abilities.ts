// Abilities are built once for what a person was given and a loaded plugin, and kept: building one costs about 50 µs.
import { LRUCache } from 'lru-cache'
import { allStand, type DefencesOff } from '../defences.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located } from '../stages.ts'
import { type Ability, buildAbility, fullAbility } from './build-ability.ts'
import type { Grants } from './grants.ts'

const keptOfPlugin = 5_000

type Described = Pick<LoadedPlugin, 'manifest'>

/** Whoever asks: what he was given, and what his credential is limited to. */
export interface Asker {
  readonly tenant: Pick<Located['tenant'], 'id'>
  readonly grants: Grants
  /** Permissions that an API key or a token may use, whoever holds it; all of them when it says nothing. */
  readonly scopes?: readonly string[]
}

/** By what a person was given: it is read anew when it may have changed, and is then another object. */
interface Kept {
  readonly whole: LRUCache<Grants, Ability>
  readonly scoped: LRUCache<string, { readonly grants: Grants; readonly ability: Ability }>
}

export function createAbilities(off: DefencesOff = allStand): (asker: Asker, plugin: Described) => Ability {
  // By the object: another package may come back under the same name and version, with other roles.
  const ofPlugins = new WeakMap<Described, Kept>()

  function keptOf(plugin: Described): Kept {
    const known = ofPlugins.get(plugin)
    if (known) return known
    const kept: Kept = {
      whole: new LRUCache({ max: keptOfPlugin }),
      scoped: new LRUCache({ max: keptOfPlugin }),
    }
    ofPlugins.set(plugin, kept)
    return kept
  }

  const build = (plugin: Described, grants: Grants, scopes: readonly string[] | undefined) =>
    off.has('ability')
      ? fullAbility(plugin.manifest)
      : buildAbility(plugin.manifest, grants, off.has('keyScopes') ? undefined : scopes)

  return ({ tenant, grants, scopes }, plugin) => {
    const { whole, scoped } = keptOf(plugin)
    if (scopes === undefined) {
      const known = whole.get(grants)
      if (known) return known
      const ability = build(plugin, grants, undefined)
      whole.set(grants, ability)
      return ability
    }
    const key = JSON.stringify([tenant.id, grants.userId, scopes])
    const known = scoped.get(key)
    if (known && known.grants === grants) return known.ability
    const ability = build(plugin, grants, scopes)
    scoped.set(key, { grants, ability })
    return ability
  }
}
