// Nobody gives what he has not got. Whether one rule lets through more than another is decided to the safe side: where it
// cannot be told, it is refused.
import { isDeepStrictEqual } from 'node:util'
import type { Manifest } from '@plinth/sdk'
import type { DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { type AccessRule, coversPermission } from './access-rule.ts'
import { membershipRules } from './build-ability.ts'
import type { Granted } from './grants.ts'
import { isGivenInTenant, tenantPermissions } from './tenant-permissions.ts'

export interface GrantParts {
  readonly runControl: RunControl
  readonly off: DefencesOff
}

/** `finance.*` covers `finance.account.*` and `finance.account.read`. */
const coversPattern = (wide: string, narrow: string): boolean =>
  wide === narrow || (wide.endsWith('.*') && narrow.startsWith(wide.slice(0, -1)))

const overlaps = (a: string, b: string): boolean => coversPattern(a, b) || coversPattern(b, a)

/** Mine and my team's are others for everybody: having such a rule is not having what it gives another. */
const isRelative = ({ when = [] }: AccessRule): boolean =>
  when.some((clause) => 'team' in clause || 'unit' in clause)

function covers(held: AccessRule, given: AccessRule): boolean {
  if (held.effect === 'deny' || !coversPattern(held.permission, given.permission)) return false
  if (isRelative(held)) return false
  const { when = [] } = given
  if (held.when?.some((clause) => !when.some((one) => isDeepStrictEqual(one, clause)))) return false
  const { fields } = held
  return fields === undefined || (given.fields?.every((field) => fields.includes(field)) ?? false)
}

/** What the person holds in rules of the form that roles have; what was lent to him is not his to give. */
function heldRules(person: Granted, manifests: readonly Manifest[]): AccessRule[] {
  return [
    ...manifests.flatMap((manifest) => membershipRules(manifest, person)),
    ...person.roles.flatMap(({ rules }) => rules),
  ]
}

/** `limits` are those of the credential he came with. @throws FORBIDDEN naming the first permission that he may not give */
export function refuseUngranted(
  person: Granted,
  manifests: readonly Manifest[],
  given: readonly AccessRule[],
  limits: readonly string[] | undefined,
  off: DefencesOff,
): void {
  if (off.has('ownGrants')) return
  const beyond = given.find(
    ({ effect, permission }) =>
      effect === 'allow' &&
      limits &&
      !limits.some((limit) => limit === '*' || coversPattern(limit, permission)),
  )
  if (beyond) throw errors.forbidden({ permission: beyond.permission })
  if (person.role === 'owner') return
  const held = heldRules(person, manifests)
  const denials = held.filter(({ effect }) => effect === 'deny')
  for (const rule of given) {
    if (rule.effect === 'deny') continue
    if (rule.permission.startsWith('tenant.')) {
      refuseUngrantedInTenant(person, rule.permission)
      continue
    }
    const isDenied = denials.some((denial) => overlaps(denial.permission, rule.permission))
    if (isDenied || !held.some((one) => covers(one, rule)))
      throw errors.forbidden({ permission: rule.permission })
  }
}

/** All that the name stands for. */
function refuseUngrantedInTenant(person: Granted, pattern: string): void {
  const missing = tenantPermissions.find(
    (name) => coversPermission(pattern, name) && !isGivenInTenant(person, name),
  )
  if (missing !== undefined) throw errors.forbidden({ permission: missing })
}

/** Taking a denial away gives what it denied. */
export const lifted = (denials: readonly AccessRule[]): AccessRule[] =>
  denials.filter(({ effect }) => effect === 'deny').map(({ permission }) => ({ permission, effect: 'allow' }))

/** Whether a person may make another an admin: an admin may do everything that this one is not denied. */
export const holdsEverything = (person: Granted): boolean =>
  person.role === 'owner' ||
  (person.role === 'admin' &&
    !person.roles.some(({ rules }) => rules.some(({ effect }) => effect === 'deny')))
