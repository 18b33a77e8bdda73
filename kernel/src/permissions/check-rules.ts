// Rules of a role against what there is to permit: the tenant's own permissions and those of the modules it has enabled.
import type { Manifest } from '@plinth/sdk'
import { isFilterable, parseFilterValue } from '../data/list-fields.ts'
import { nearestName } from '../data/nearest-name.ts'
import { errors, type FieldError } from '../errors.ts'
import { type AccessRule, type Clause, coversPermission } from './access-rule.ts'
import { fieldVerbs, type Permission, permissionsOf } from './permission-catalogue.ts'
import { tenantPermissions } from './tenant-permissions.ts'

/** Every name there is: the tenant's, and each module's with the module before it. */
export const permissionCatalogue = (manifests: readonly Manifest[]): string[] => [
  ...tenantPermissions,
  ...manifests.flatMap((manifest) => permissionsOf(manifest).map(({ name }) => `${manifest.name}.${name}`)),
]

export function unknownPermission(
  manifests: readonly Manifest[],
  pattern: string,
  field: string,
): FieldError | undefined {
  const names = permissionCatalogue(manifests)
  if (names.some((name) => coversPermission(pattern, name))) return undefined
  const nearest = nearestName(pattern, names)
  const hint = nearest === undefined ? '' : ` Did you mean '${nearest}'?`
  const message = `is no permission of the tenant or of a module it has enabled.${hint}`
  return { field, code: 'UNKNOWN_PERMISSION', message }
}

/** @throws VALIDATION_FAILED naming each wrong place: `rules.2.when.0.value` */
export function checkRules(manifests: readonly Manifest[], rules: readonly AccessRule[]): void {
  const problems = rules.flatMap((rule, index) => ruleProblems(manifests, rule, `rules.${index}`))
  if (problems.length > 0) throw errors.validation({ errors: problems })
}

function ruleProblems(manifests: readonly Manifest[], rule: AccessRule, at: string): FieldError[] {
  const unknown = unknownPermission(manifests, rule.permission, `${at}.permission`)
  if (unknown) return [unknown]
  const manifest = manifests.find(({ name }) => rule.permission.startsWith(`${name}.`))
  const covered = manifest
    ? permissionsOf(manifest).filter(({ name }) =>
        coversPermission(rule.permission, `${manifest.name}.${name}`),
      )
    : []
  const narrowing = [
    ...(rule.when ?? []).map((clause, index) =>
      whenProblem(manifest, covered, rule, clause, `${at}.when.${index}`),
    ),
    ...(rule.fields ?? []).map((field, index) =>
      fieldProblem(manifest, covered, field, `${at}.fields.${index}`),
    ),
  ]
  return narrowing.flatMap((problem) => problem ?? [])
}

/** The one entity that a rule is about; nothing when it is about several, or about no records. */
function entityOf(manifest: Manifest | undefined, covered: readonly Permission[]) {
  const [first, ...rest] = new Set(covered.map(({ subject }) => subject))
  return first === undefined || rest.length > 0 ? undefined : manifest?.entities[first]
}

const wrong = (field: string, code: string, message: string): FieldError => ({ field, code, message })

function whenProblem(
  manifest: Manifest | undefined,
  covered: readonly Permission[],
  { effect }: AccessRule,
  clause: Clause,
  at: string,
): FieldError | undefined {
  const entities = covered.flatMap(({ subject }) => manifest?.entities[subject] ?? [])
  if (entities.length === 0)
    return wrong(at, 'NO_RECORDS', 'cannot be asked: the permission is about no records.')
  if ('own' in clause || 'team' in clause) return undefined
  const entity = entityOf(manifest, covered)
  if ('unit' in clause) {
    const withUnit = entities.filter(({ scope }) => scope !== undefined)
    if (withUnit.length > 0 && (effect === 'allow' || entity)) return undefined
    return wrong(at, 'NO_UNIT', 'asks for a unit, and the records of this permission belong to none.')
  }
  if (!entity) return wrong(at, 'SEVERAL_ENTITIES', 'names a field: the permission must be of one entity.')
  return valueProblem(entity, clause, at)
}

function valueProblem(
  entity: Manifest['entities'][string],
  { field, op, value }: Extract<Clause, { field: string }>,
  at: string,
): FieldError | undefined {
  if ((op === 'in') !== Array.isArray(value))
    return wrong(`${at}.value`, 'WRONG_TYPE', op === 'in' ? 'must be a list.' : 'must be one value.')
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  for (const one of values) {
    // A field without a value can be asked for by eq and ne, of any kind.
    const isNull = one === null && (op === 'eq' || op === 'ne')
    const parsed = parseFilterValue(entity, field, op, isNull ? '' : one)
    if ('problem' in parsed && !(isNull && isFilterable(entity, field)))
      return wrong(`${at}.${isFilterable(entity, field) ? 'value' : 'field'}`, 'INVALID', parsed.problem)
  }
  return values.length === 0 && !isFilterable(entity, field)
    ? wrong(`${at}.field`, 'UNKNOWN_FIELD', 'is not a field of these records.')
    : undefined
}

function fieldProblem(
  manifest: Manifest | undefined,
  covered: readonly Permission[],
  field: string,
  at: string,
): FieldError | undefined {
  const entity = entityOf(manifest, covered)
  if (!entity) return wrong(at, 'SEVERAL_ENTITIES', 'is a field: the permission must be of one entity.')
  if (!covered.some(({ verb }) => fieldVerbs.includes(verb)))
    return wrong(at, 'NO_FIELDS', 'cannot be named here: only read, create and update are about fields.')
  if (Object.hasOwn(entity.fields, field)) return undefined
  const nearest = nearestName(field, Object.keys(entity.fields))
  const hint = nearest === undefined ? '' : ` Did you mean '${nearest}'?`
  return wrong(at, 'UNKNOWN_FIELD', `is not a field of these records.${hint}`)
}
