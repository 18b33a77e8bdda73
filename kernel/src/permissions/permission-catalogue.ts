// Which permissions exist in a module: four for each entity, one for each action and each route.
import type { Manifest } from '@plinth/sdk'

export interface Permission {
  /** As it stands in role rules and audit: `account.read`, `journalEntry.post`, `route.trialBalance`. */
  readonly name: string
  readonly subject: string
  readonly verb: string
}

export const genericVerbs = ['read', 'create', 'update', 'delete'] as const

const permission = (subject: string, verb: string): Permission => ({
  name: `${subject}.${verb}`,
  subject,
  verb,
})

export function permissionsOf(manifest: Manifest): readonly Permission[] {
  return [
    ...Object.keys(manifest.entities).flatMap((entity) => [
      ...genericVerbs.map((verb) => permission(entity, verb)),
      ...Object.keys(manifest.actions[entity] ?? {}).map((action) => permission(entity, action)),
    ]),
    ...Object.keys(manifest.routes).map((route) => permission('route', route)),
  ]
}

/** What a rule with a list of fields can be about. */
export const fieldVerbs: readonly string[] = ['read', 'create', 'update']
