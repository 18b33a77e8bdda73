// Which fields of a record a person may read or write. Rules without a list of fields speak of all of them; base fields
// (id, version, who and when) come with every record that may be read.
import type { EntitySpec, Json } from '@plinth/sdk'
import type { EntityRecord } from '../data/entity-store.ts'
import type { Ability } from './build-ability.ts'

/** Whether any rule about the verb names fields: without one nobody need look at them. */
export const namesFields = (ability: Ability, verb: string, entity: string): boolean =>
  ability.possibleRulesFor(verb, entity).some((rule) => rule.fields !== undefined)

/** The record as its reader may see it. `record` is whole: conditions may ask of fields that he does not see. */
export function trimmed(
  ability: Ability,
  spec: EntitySpec,
  entity: string,
  record: EntityRecord,
): EntityRecord {
  if (!namesFields(ability, 'read', entity)) return record
  const subject = { entity, record }
  const shown: Record<string, Json> = {}
  for (const [name, value] of Object.entries(record)) {
    if (!Object.hasOwn(spec.fields, name) || ability.can('read', subject, name)) shown[name] = value
  }
  return shown as EntityRecord
}

/** The first of `names` that may not be written into, or taken from, the record. */
export function deniedField(
  ability: Ability,
  verb: string,
  entity: string,
  record: Readonly<Record<string, unknown>>,
  names: readonly string[],
): string | undefined {
  if (!namesFields(ability, verb, entity)) return undefined
  const subject = { entity, record }
  return names.find((name) => !ability.can(verb, subject, name))
}

/**
 * Whether the field may be read of every record that may be read. Only then may a list be filtered or sorted by it: what
 * comes first, or comes at all, tells its value.
 */
export function alwaysReadable(ability: Ability, entity: string, field: string): boolean {
  const rules = ability.possibleRulesFor('read', entity)
  if (rules.every((rule) => rule.fields === undefined)) return true
  const covers = ({ fields }: (typeof rules)[number]) => fields === undefined || fields.includes(field)
  if (rules.some((rule) => rule.inverted && rule.fields?.includes(field))) return false
  const allowing = rules.filter((rule) => !rule.inverted)
  return allowing.some((rule) => rule.conditions === undefined && covers(rule)) || allowing.every(covers)
}
