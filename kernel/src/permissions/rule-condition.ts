// What a rule's `when` asks of a record, for one person.
import type { EntitySpec } from '@plinth/sdk'
import type { Condition } from '../data/condition.ts'
import { ConditionInvalid } from '../data/condition-match.ts'
import type { AccessRule, Clause } from './access-rule.ts'
import type { Granted } from './grants.ts'

/** @throws ConditionInvalid for an entity that does not belong to a unit */
export function ruleCondition(
  spec: EntitySpec,
  { when = [] }: Pick<AccessRule, 'when'>,
  person: Pick<Granted, 'userId' | 'scopes'>,
): Condition {
  const all = when.map((clause) => clauseCondition(spec, clause, person))
  const [first] = all
  return first === undefined ? true : all.length === 1 ? first : { all }
}

function clauseCondition(
  spec: EntitySpec,
  clause: Clause,
  { userId, scopes }: Pick<Granted, 'userId' | 'scopes'>,
): Condition {
  if ('own' in clause) return { field: 'createdBy', op: 'eq', value: userId }
  if ('team' in clause) return oneOf('createdBy', [...new Set([userId, ...scopes.team])])
  if ('unit' in clause) {
    const field = spec.scope?.unit
    if (field === undefined) throw new ConditionInvalid('its records belong to no unit.')
    return oneOf(field, scopes.units)
  }
  const { field, op, value } = clause
  return { field, op, value, bytewise: true }
}

/** A list has its bound, and an organisation has none. */
const mostOfOne = 1000

function oneOf(field: string, values: readonly string[]): Condition {
  if (values.length === 0) return false
  if (values.length <= mostOfOne) return { field, op: 'in', value: values }
  const parts = Array.from({ length: Math.ceil(values.length / mostOfOne) }, (_, at) =>
    values.slice(at * mostOfOne, (at + 1) * mostOfOne),
  )
  return { any: parts.map((value) => ({ field, op: 'in' as const, value })) }
}
