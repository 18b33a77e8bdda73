// Why somebody may or may not: the layers in the order in which a request meets them, the one that decides, and the
// smallest change that would let it through. What it proposes was tried, on a copy of what the person was given.
import type { Manifest } from '@plinth/sdk'
import type { EntityRecord } from '../data/entity-store.ts'
import { coversPermission } from './access-rule.ts'
import { type Ability, buildAbility, decidingRule } from './build-ability.ts'
import type { TenantRole } from './change-roles.ts'
import type { Question } from './decision.ts'
import type { Duty } from './duty-conflicts.ts'
import type { GrantedRole, Grants } from './grants.ts'
import { permissionsOf } from './permission-catalogue.ts'
import { isGivenInTenant } from './tenant-permissions.ts'

export type Layer = 'tenant' | 'entitlement' | 'flag' | 'membership' | 'role' | 'field' | 'duty' | 'plugin'

export interface Step {
  readonly layer: Layer
  readonly passes: boolean
  readonly says: string
  /** The role whose rule it is, and which of its rules, from 0. */
  readonly role?: string
  readonly rule?: number
  readonly lender?: string
}

export interface Change {
  readonly kind:
    | 'tenantState'
    | 'enableModule'
    | 'addMember'
    | 'assignRole'
    | 'addRule'
    | 'removeRule'
    | 'otherPerson'
    | 'otherRecord'
  readonly text: string
}

export interface Explanation {
  readonly question: Question
  readonly allowed: boolean
  readonly decidedBy: Layer
  readonly steps: readonly Step[]
  /** All of them together; none when it is allowed. */
  readonly changes: readonly Change[]
}

/** What is known of the tenant and of the question. */
export interface Facts {
  readonly question: Question
  /** Of the tenant, and what it lets through. */
  readonly state: { readonly name: string; readonly reads: boolean; readonly writes: boolean }
  /** Undefined for somebody who is no member. */
  readonly grants?: Grants
  readonly manifests: readonly Manifest[]
  /** The tenant's own. */
  readonly roles: readonly TenantRole[]
  readonly record?: EntityRecord
  readonly duty?: Duty
  readonly limits?: readonly string[]
}

interface Asked {
  readonly manifest: Manifest
  readonly subject: string
  readonly verb: string
}

function askedOf(manifests: readonly Manifest[], action: string): Asked | undefined {
  const manifest = manifests.find(({ name }) => action.startsWith(`${name}.`))
  const found = manifest && permissionsOf(manifest).find(({ name }) => `${manifest.name}.${name}` === action)
  return manifest && found && { manifest, subject: found.subject, verb: found.verb }
}

export function explain(facts: Facts): Explanation {
  const { question, grants, manifests } = facts
  const steps: Step[] = []
  const end = (step: Step, changes: readonly Change[] = []): Explanation => ({
    question,
    allowed: step.passes,
    decidedBy: step.layer,
    steps: [...steps, step],
    changes,
  })
  const isOfTenant = question.action.startsWith('tenant.')
  const asked = askedOf(manifests, question.action)
  const module = question.action.split('.')[0] ?? ''
  const { name, reads, writes } = facts.state
  // A route of a module may read or write: its state is told by the answer.
  const isReading = !asked || asked.verb === 'read' || asked.subject === 'route'
  if (!(isReading ? reads : writes)) {
    const says = `The tenant is ${name}: nothing in it can be ${isReading ? 'read' : 'changed'}.`
    const text = 'The operator moves the tenant to another state.'
    return end({ layer: 'tenant', passes: false, says }, [{ kind: 'tenantState', text }])
  }
  steps.push({ layer: 'tenant', passes: true, says: `The tenant is ${name}.` })
  if (!isOfTenant) {
    if (!manifests.some(({ name }) => name === module)) {
      const text = `Enable the module '${module}'.`
      return end({ layer: 'entitlement', passes: false, says: `The module '${module}' is not enabled.` }, [
        { kind: 'enableModule', text },
      ])
    }
    steps.push({ layer: 'entitlement', passes: true, says: `The module '${module}' is enabled.` })
  }
  if (!grants) {
    const says = 'Is no member of the tenant.'
    return end({ layer: 'membership', passes: false, says }, [
      { kind: 'addMember', text: 'Add the person to the tenant.' },
    ])
  }
  steps.push({ layer: 'membership', passes: true, says: `Is ${grants.role} of the tenant.` })
  if (!isOfTenant && !asked)
    return end({ layer: 'role', passes: false, says: `There is no permission '${question.action}'.` })
  const decide = (given: Grants) => decideByRole(asked, question, given, facts.record)
  const step = decide(grants)
  if (!step.passes) return end(step, changesFor(facts, grants, decide))
  if (facts.duty) {
    steps.push(step)
    const { title, first, second } = facts.duty
    const says = `Did the other of '${first}' and '${second}' on this record (${title}).`
    return end({ layer: 'duty', passes: false, says }, [
      { kind: 'otherPerson', text: 'Somebody else has to do it.' },
    ])
  }
  return end(step)
}

function decideByRole(
  asked: Asked | undefined,
  { action, field }: Question,
  grants: Grants,
  record: EntityRecord | undefined,
): Step {
  if (!asked) {
    const passes = isGivenInTenant(grants, action)
    return { layer: 'role', passes, says: passes ? 'A role allows it.' : 'No role of the person allows it.' }
  }
  const { manifest, subject, verb } = asked
  const ability = buildAbility(manifest, grants)
  const target = record ? { entity: subject, record } : subject
  const whole = verdict(ability, verb, target)
  // An action is done to a record that is read first.
  const isAction = Object.hasOwn(manifest.actions[subject] ?? {}, verb)
  if (whole.passes && isAction && !ability.can('read', target)) {
    const says = `May do it, and may not read ${record ? 'this record' : 'such records'}.`
    return { ...verdict(ability, 'read', target), says }
  }
  if (!whole.passes || field === undefined) return whole
  return { ...verdict(ability, verb, target, field), layer: 'field' }
}

function verdict(
  ability: Ability,
  verb: string,
  target: Parameters<Ability['can']>[1],
  field?: string,
): Step {
  const passes = ability.can(verb, target, field)
  const rule = decidingRule(ability, verb, target, field)
  const what = field === undefined ? 'it' : `the field '${field}'`
  if (!rule) {
    const narrowed = typeof target === 'string' ? '' : ' for this record'
    return { layer: 'role', passes, says: `No rule of the person allows ${what}${narrowed}.` }
  }
  const { role, index, lender } = rule.source
  return {
    layer: 'role',
    passes,
    says: `Rule ${index} of '${role}' ${passes ? 'allows' : 'denies'} ${what}.`,
    role,
    rule: index,
    ...(lender === undefined ? {} : { lender }),
  }
}

const mostDenials = 10

/** Takes away what denies, one after the other, and then adds the role or the rule that is missing. */
function changesFor(facts: Facts, grants: Grants, decide: (given: Grants) => Step): Change[] {
  const changes: Change[] = []
  let given = grants
  for (let tries = 0; tries < mostDenials; tries += 1) {
    const step = decide(given)
    if (step.passes) return changes
    const denial = denialOf(facts, given, step)
    if (!denial) break
    changes.push({
      kind: 'removeRule',
      text: `Take rule ${denial.index} out of the role '${denial.role.name}', or the role from the person.`,
    })
    given = {
      ...given,
      roles: given.roles.map((role) => (role === denial.role ? without(role, denial.index) : role)),
    }
  }
  const { field } = facts.question
  const helping = [...facts.roles]
    .filter(({ id }) => !given.roles.some((role) => role.id === id))
    .filter((role) => decide({ ...given, roles: [...given.roles, role] }).passes)
    .sort((a, b) => a.rules.length - b.rules.length)[0]
  if (helping)
    return [...changes, { kind: 'assignRole', text: `Give the person the role '${helping.name}'.` }]
  const rule = {
    permission: facts.question.action,
    effect: 'allow' as const,
    ...(field ? { fields: [field] } : {}),
  }
  const added: GrantedRole = { id: '', name: '', rules: [rule] }
  if (decide({ ...given, roles: [...given.roles, added] }).passes)
    changes.push({ kind: 'addRule', text: `Add the rule ${JSON.stringify(rule)} to a role of the person.` })
  return changes
}

function denialOf(
  { question }: Facts,
  { roles }: Grants,
  { role: name, rule: index }: Step,
): { role: GrantedRole; index: number } | undefined {
  for (const role of roles) {
    const at = role.rules.findIndex(
      ({ effect, permission }, place) =>
        effect === 'deny' &&
        (name === undefined
          ? question.action.startsWith('tenant.') && coversPermission(permission, question.action)
          : role.name === name && place === index),
    )
    if (at >= 0) return { role, index: at }
  }
  return undefined
}

/** The others keep their numbers. */
const without = (role: GrantedRole, index: number): GrantedRole => ({
  ...role,
  rules: role.rules.map((rule, at) => (at === index ? { permission: 'none.none', effect: 'allow' } : rule)),
})
