// What a person was given becomes one CASL ability for one module: it guards single records, filters lists through
// row-condition.ts and trims fields through field-rights.ts. Wildcards are expanded against the permission catalogue.
import { Ability as CaslAbility, fieldPatternMatcher } from '@casl/ability'
import type { EntitySpec, Manifest } from '@plinth/sdk'
import type { Condition } from '../data/condition.ts'
import { type Matcher, matcherOf } from '../data/condition-match.ts'
import { type AccessRule, coversPermission } from './access-rule.ts'
import { expandRule } from './expand-rule.ts'
import { type Granted, type Grants, grantsOf } from './grants.ts'
import { type Permission, permissionsOf } from './permission-catalogue.ts'
import { isInScopes } from './scopes.ts'

/** A record together with the entity it belongs to, as CASL sees it. */
export interface SubjectRecord {
  readonly entity: string
  readonly record: Readonly<Record<string, unknown>>
}

/** For lists and for single records: made of one another, so the two cannot differ. */
export interface RecordCondition {
  readonly condition: Condition
  readonly meets: Matcher
}

/** Which rule of which role it is; `lender` when it was lent. */
export interface RuleSource {
  readonly role: string
  readonly roleId?: string
  readonly index: number
  readonly lender?: string
  readonly delegation?: string
}

/** CASL's action is the permission's verb, the subject is the entity (`account`) or `route`. */
export type Ability = CaslAbility<[string, string | SubjectRecord], RecordCondition>

export interface BuiltRule {
  readonly action: string
  readonly subject: string
  readonly inverted: boolean
  readonly conditions?: RecordCondition
  readonly fields?: string[]
  readonly source: RuleSource
}

const recordCondition = (spec: EntitySpec, condition: Condition): RecordCondition => ({
  condition,
  meets: matcherOf(spec, condition),
})

/** What a role of the manifest may do, as rules of a tenant's role. */
export function manifestRules({ name, roles }: Manifest, role: string): AccessRule[] {
  const { can } = (Object.hasOwn(roles, role) ? roles[role] : undefined) ?? { can: [] }
  return can.map((rule): AccessRule => {
    const permission = typeof rule === 'string' ? rule : rule.permission
    const full = permission === '*' ? `${name}.*` : `${name}.${permission}`
    return {
      permission: full,
      effect: 'allow',
      ...(typeof rule === 'string' ? {} : { when: [{ own: true }] }),
    }
  })
}

/** Rules of a person's membership, as the module suggests them. Owners and admins may do everything in it. */
export function membershipRules(manifest: Manifest, { role }: Granted): readonly AccessRule[] {
  if (role === 'member') return manifestRules(manifest, role)
  return [{ permission: `${manifest.name}.*`, effect: 'allow' }]
}

/** The rules that a person has himself: the base ones, then his roles' in their order. */
export function ownRules(manifest: Manifest, person: Granted): BuiltRule[] {
  const expand = (rule: AccessRule, source: RuleSource) =>
    expandRule(manifest, rule, person).map(
      ({ permission, condition, fields }): BuiltRule => ({
        action: permission.verb,
        subject: permission.subject,
        inverted: rule.effect === 'deny',
        ...(condition === true ? {} : { conditions: conditionOf(manifest, permission, condition) }),
        ...(fields ? { fields: [...fields] } : {}),
        source,
      }),
    )
  return [
    ...membershipRules(manifest, person).flatMap((rule, index) => expand(rule, { role: person.role, index })),
    ...person.roles.flatMap(({ id, name, rules }) =>
      rules.flatMap((rule, index) => expand(rule, { role: name, roleId: id, index })),
    ),
  ]
}

function conditionOf(manifest: Manifest, { subject }: Permission, condition: Condition): RecordCondition {
  const spec = manifest.entities[subject]
  // A route has no record: a rule of a module that asks who created it is met by the route itself.
  return spec ? recordCondition(spec, condition) : { condition: true, meets: () => true }
}

/** What `lent` names of the rules its lender has now. His denials are inside each: they bind his loan, and nothing else. */
function lentRules(manifest: Manifest, { delegation, permissions, by }: Grants['lent'][number]): BuiltRule[] {
  const rules = ownRules(manifest, by)
  const isLent = ({ subject, action }: BuiltRule) =>
    permissions.some((name) => coversPermission(name, `${manifest.name}.${subject}.${action}`))
  const denials = rules.filter((rule) => rule.inverted)
  return rules
    .filter((rule) => !rule.inverted && isLent(rule))
    .flatMap((rule) => {
      const against = denials.filter(
        (denial) => denial.action === rule.action && denial.subject === rule.subject,
      )
      const cut = cutByDenials(manifest, rule, against)
      return cut ? [{ ...cut, source: { ...rule.source, lender: by.userId, delegation } }] : []
    })
}

/** The rule without what the denials take, or nothing when they take all. Of a field denied here and there: none of it. */
function cutByDenials(
  manifest: Manifest,
  rule: BuiltRule,
  denials: readonly BuiltRule[],
): BuiltRule | undefined {
  const spec = manifest.entities[rule.subject]
  const whole = denials.filter((denial) => denial.fields === undefined)
  if (whole.some((denial) => denial.conditions === undefined)) return undefined
  if (!spec) return whole.length > 0 ? undefined : rule
  const lost = new Set(denials.flatMap((denial) => denial.fields ?? []))
  const fields = (rule.fields ?? Object.keys(spec.fields)).filter((field) => !lost.has(field))
  if (lost.size > 0 && fields.length === 0) return undefined
  const conditions: Condition[] = [
    rule.conditions?.condition ?? true,
    ...whole.map((denial): Condition => ({ not: denial.conditions?.condition ?? true })),
  ]
  return {
    ...rule,
    ...(whole.length > 0 ? { conditions: recordCondition(spec, { all: conditions }) } : {}),
    ...(lost.size > 0 || rule.fields ? { fields } : {}),
  }
}

/** What a person may do in one module. `limits` are the permissions that his credential is limited to. */
export function buildAbility(manifest: Manifest, grants: Grants, limits?: readonly string[]): Ability {
  const own = ownRules(manifest, grants)
  const isWithin = ({ subject, action }: BuiltRule) =>
    isInScopes(limits, `${manifest.name}.${subject}.${action}`)
  const rules = [
    // Later rules win: what is his own is his own before it is lent, and what is denied is denied after all.
    ...grants.lent.flatMap((lent) => lentRules(manifest, lent)),
    ...own.filter((rule) => !rule.inverted),
  ].filter(isWithin)
  return new CaslAbility<[string, string | SubjectRecord], RecordCondition>(
    [...rules, ...own.filter((rule) => rule.inverted)],
    {
      conditionsMatcher:
        ({ meets }) =>
        (subject: { readonly record?: Readonly<Record<string, unknown>> }) =>
          meets(subject.record ?? {}),
      fieldMatcher: fieldPatternMatcher,
      detectSubjectType: (subject) => (typeof subject === 'string' ? subject : subject.entity),
    },
  )
}

/** Everything in a module, whoever it is: what it may do itself, as a service that another calls. */
export const fullAbility = (manifest: Manifest): Ability => buildAbility(manifest, grantsOf('owner', ''))

/** Where the rule that decides comes from; nothing when no rule does. */
export function decidingRule(
  ability: Ability,
  verb: string,
  subject: string | SubjectRecord,
  field?: string,
): BuiltRule | undefined {
  const rule = ability.relevantRuleFor(verb, subject, field)
  // CASL keeps the rule that it was given, which is one of ours.
  return rule ? (rule.origin as unknown as BuiltRule) : undefined
}

/** The names a person holds without a condition or with one, for `ctx.user.can`. */
export function permissionNames(manifest: Manifest, ability: Ability): string[] {
  return permissionsOf(manifest)
    .filter((p) => ability.can(p.verb, p.subject))
    .map((p) => p.name)
}
