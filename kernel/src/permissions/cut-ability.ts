// An ability cut to the scopes of a credential: what it may do besides is denied by rules at the end, which no rule
// before them can undo.
import type { Manifest } from '@plinth/sdk'
import { type Ability, createAbility } from './build-ability.ts'
import { permissionsOf } from './permission-catalogue.ts'
import { isInScopes } from './scopes.ts'

export function cutAbility(manifest: Manifest, ability: Ability, scopes: readonly string[]): Ability {
  const denied = permissionsOf(manifest)
    .filter(({ name }) => !isInScopes(scopes, `${manifest.name}.${name}`))
    .map(({ verb, subject }) => ({ action: verb, subject, inverted: true }))
  return createAbility([...ability.rules, ...denied])
}
