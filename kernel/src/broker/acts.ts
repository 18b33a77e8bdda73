// Before somebody does something to a record: whether a duty keeps him from it, and in whose name he does it.
import type { EntityRecord } from '../data/entity-store.ts'
import { type Ability, type BuiltRule, decidingRule } from '../permissions/build-ability.ts'
import { namesFields } from '../permissions/field-rights.ts'
import type { Work } from './work.ts'

/** In whose name, for the audit trail; nothing for his own. */
export interface Act {
  readonly onBehalfOf?: string
}

const isLent = (ability: Ability, verb: string, entity: string): boolean =>
  ability
    .possibleRulesFor(verb, entity)
    .some((rule) => (rule.origin as unknown as BuiltRule).source.lender !== undefined)

/** Whether the record must be known first: a condition in SQL says who may, but not by which rule. */
export const mustBeKnown = async (work: Work, verb: string, entity: string): Promise<boolean> =>
  namesFields(work.ability, verb, entity) ||
  isLent(work.ability, verb, entity) ||
  (await work.duties.concerns({
    tenant: work.tenant.id,
    module: work.plugin.manifest.name,
    entity,
    verb,
  }))

/** Of what he does with his own right inside something lent, the loan is still the reason. */
const named = (work: Work, lender: string | undefined): Act => {
  const onBehalfOf = lender ?? work.onBehalfOf
  return onBehalfOf === undefined ? {} : { onBehalfOf }
}

export const actOfCreating = (work: Work, entity: string, record: Readonly<Record<string, unknown>>): Act =>
  named(work, decidingRule(work.ability, 'create', { entity, record })?.source.lender)

/** `record` is locked. @throws DUTY_CONFLICT */
export async function actOn(work: Work, verb: string, entity: string, record: EntityRecord): Promise<Act> {
  const act = named(work, decidingRule(work.ability, verb, { entity, record })?.source.lender)
  await work.duties.refuse({
    tenant: work.tenant.id,
    module: work.plugin.manifest.name,
    entity,
    verb,
    record,
    people: [work.actor.id, ...(act.onBehalfOf === undefined ? [] : [act.onBehalfOf])],
  })
  return act
}
