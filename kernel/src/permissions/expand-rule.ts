// One rule of a role against one module: which of its permissions it speaks of, for which rows and fields. A rule was
// checked when it was stored; a later version of the module may have lost a field it names, and then the rule fails to
// the safe side: it allows nothing, or denies everything.
import type { Manifest } from '@plinth/sdk'
import type { Condition } from '../data/condition.ts'
import { ConditionInvalid, matcherOf } from '../data/condition-match.ts'
import { type AccessRule, coversPermission } from './access-rule.ts'
import type { Granted } from './grants.ts'
import { fieldVerbs, type Permission, permissionsOf } from './permission-catalogue.ts'
import { ruleCondition } from './rule-condition.ts'

export interface ExpandedRule {
  readonly permission: Permission
  readonly condition: Condition
  readonly fields?: readonly string[]
}

export function expandRule(
  manifest: Manifest,
  rule: AccessRule,
  person: Pick<Granted, 'userId' | 'scopes'>,
): ExpandedRule[] {
  if (!couldConcern(rule.permission, manifest.name)) return []
  return permissionsOf(manifest)
    .filter(({ name, verb }) => {
      const covered = coversPermission(rule.permission, `${manifest.name}.${name}`)
      return covered && (rule.fields === undefined || fieldVerbs.includes(verb))
    })
    .flatMap((permission) => {
      // A route has no record, and a report shows those of everybody: who may see some has not been given that.
      const isByTheWay =
        permission.subject === 'route' && !rule.permission.startsWith(`${manifest.name}.route.`)
      if (isByTheWay && rule.when && rule.effect === 'allow') return []
      const condition = conditionFor(manifest, permission, rule, person)
      if (condition === false) return []
      const fields = rule.fields?.filter((field) => hasField(manifest, permission, field))
      if (fields?.length === 0) return []
      return [{ permission, condition, ...(fields ? { fields } : {}) }]
    })
}

const couldConcern = (pattern: string, module: string) => pattern.startsWith(`${module}.`)

const hasField = ({ entities }: Manifest, { subject }: Permission, field: string) =>
  Object.hasOwn(entities[subject]?.fields ?? {}, field)

function conditionFor(
  { entities }: Manifest,
  { subject }: Permission,
  rule: AccessRule,
  person: Pick<Granted, 'userId' | 'scopes'>,
): Condition {
  const spec = Object.hasOwn(entities, subject) ? entities[subject] : undefined
  // A route has no record to ask. A denial there is a denial, whatever it asks.
  if (!spec) return true
  try {
    const condition = ruleCondition(spec, rule, person)
    matcherOf(spec, condition)
    return condition
  } catch (error) {
    if (error instanceof ConditionInvalid) return rule.effect === 'deny'
    throw error
  }
}
