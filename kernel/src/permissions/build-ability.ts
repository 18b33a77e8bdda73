// Roles and a module's declared rules become one CASL ability: it guards single records and, through
// row-condition.ts, filters lists. Wildcards are expanded here against the permission catalogue.
import {
  type ConditionsMatcher,
  createMongoAbility,
  type MongoAbility,
  type MongoQuery,
  mongoQueryMatcher,
  type RawRuleOf,
} from '@casl/ability'
import type { Manifest } from '@plinth/sdk'
import type { MembershipRole } from '../stages.ts'
import { permissionsOf } from './permission-catalogue.ts'

/** CASL's action is the permission's verb, the subject is the entity (`account`) or `route`. */
export type Ability = MongoAbility<[string, string | SubjectRecord]>

/** A record together with the entity it belongs to, as CASL sees it. */
export interface SubjectRecord {
  readonly entity: string
  readonly record: Readonly<Record<string, unknown>>
}

type Rule = Manifest['roles'][string]['can'][number]

const own = (userId: string) => ({ createdBy: userId })

// Conditions name fields of the record, not of the wrapper that carries its entity.
const matchRecord: ConditionsMatcher<MongoQuery> = (conditions) => {
  const matches = mongoQueryMatcher(conditions)
  return (subject: { readonly record?: object }) => matches({ ...subject.record })
}

function rulesFor(manifest: Manifest, rule: Rule, userId: string): RawRuleOf<Ability>[] {
  const name = typeof rule === 'string' ? rule : rule.permission
  return permissionsOf(manifest)
    .filter((p) => name === '*' || name === p.name || name === `${p.subject}.*`)
    .map((p) => ({
      action: p.verb,
      subject: p.subject,
      ...(typeof rule === 'string' ? {} : { conditions: own(userId) }),
    }))
}

/** What a person with `role` may do in one module. Owners and admins may do everything in it. */
export function buildAbility(manifest: Manifest, role: MembershipRole, userId: string): Ability {
  const rules: readonly Rule[] =
    role === 'owner' || role === 'admin' ? ['*'] : (manifest.roles[role]?.can ?? [])
  return createAbility(rules.flatMap((rule) => rulesFor(manifest, rule, userId)))
}

/** The ability of these rules; of two that meet, the later one counts. */
export const createAbility = (rules: RawRuleOf<Ability>[]): Ability =>
  createMongoAbility<Ability>(rules, {
    conditionsMatcher: matchRecord,
    detectSubjectType: (subject) => (typeof subject === 'string' ? subject : subject.entity),
  })

/** The names a person holds without a condition or with one, for `ctx.user.can`. */
export function permissionNames(manifest: Manifest, ability: Ability): string[] {
  return permissionsOf(manifest)
    .filter((p) => ability.can(p.verb, p.subject))
    .map((p) => p.name)
}
