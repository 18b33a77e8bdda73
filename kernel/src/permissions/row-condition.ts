// From ability to SQL: which rows of an entity a verb may touch, as the data layer's Condition.
// The same rules decide single records in memory (Ability.can), so the two cannot drift apart.
import { rulesToCondition } from '@casl/ability/extra'
import type { Condition } from '../data/condition.ts'
import type { Ability } from './build-ability.ts'

/** The condition rows must meet, `true` for all rows, `false` for none. */
export function rowCondition(ability: Ability, verb: string, entity: string): Condition {
  const condition = rulesToCondition<Ability, Condition, Condition>(
    ability.rulesFor(verb, entity),
    (rule) => {
      const met = rule.conditions?.condition ?? true
      return rule.inverted ? { not: met } : met
    },
    {
      and: (conditions) => ({ all: conditions }),
      or: (conditions) => ({ any: conditions }),
      empty: () => true,
    },
  )
  return condition ?? false
}
