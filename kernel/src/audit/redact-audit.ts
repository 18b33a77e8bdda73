// Takes what is personal from rows of the trail, for readers who may not see such things. What nobody has said anything of
// counts as personal: a field that is no longer declared, a module that is gone.
import type { FieldSpecs, Json, Manifest } from '@plinth/sdk'
import { allStand, type DefencesOff } from '../defences.ts'
import type { AuditItem } from './search-audit.ts'

export const redacted = '(personal)'

type Values = Readonly<Record<string, Json>>
export type ManifestOf = (module: string) => Manifest | undefined

/** What every record has of the kernel. */
const ofEveryRecord = ['id', 'version', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy']

/** In what the kernel itself writes of people, wherever it stands. */
const personalKeys: ReadonlySet<string> = new Set([
  'address',
  'agent',
  'displayName',
  'email',
  'familyName',
  'givenName',
  'phone',
  'userName',
])
/** Whose `name` is that of a person. */
const people: ReadonlySet<string> = new Set(['invitation', 'membership', 'person', 'user'])

export function redactAudit(item: AuditItem, manifestOf: ManifestOf, off: DefencesOff = allStand): AuditItem {
  if (off.has('auditPersonal')) return item
  const { address, agent, before, after, actor, ...rest } = item
  const hide = hiderOf(item, manifestOf)
  return {
    ...rest,
    actor: { id: actor.id },
    before: before && hide(before),
    after: after && hide(after),
    ...(address === undefined ? {} : { address: redacted }),
    ...(agent === undefined ? {} : { agent: redacted }),
  }
}

function hiderOf({ module, entity, action }: AuditItem, manifestOf: ManifestOf): (values: Values) => Values {
  if (module === 'kernel' || module === 'identity') return (values) => hideKeys(values, people.has(entity))
  const entities = manifestOf(module)?.entities ?? {}
  const fields = Object.hasOwn(entities, entity) ? entities[entity]?.fields : undefined
  // The statement itself names no value: those are its parameters.
  if (action === 'sql' && fields) return (values) => values
  return (values) => hideFields(values, fields ?? {}, ofEveryRecord)
}

function hideFields(values: Values, fields: FieldSpecs, plain: readonly string[]): Values {
  return mapValues(values, (value, name) => {
    if (plain.includes(name) || value === null) return value
    const spec = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (!spec || spec.personal) return redacted
    if (!spec.fields) return value
    const inner = spec.fields
    if (Array.isArray(value))
      return value.map((line) => (isValues(line) ? hideFields(line, inner, []) : redacted))
    return isValues(value) ? hideFields(value, inner, []) : redacted
  })
}

function hideKeys(values: Values, isPerson: boolean): Values {
  const hide = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(hide)
    return isValues(value) ? hideKeys(value, isPerson) : value
  }
  return mapValues(values, (value, name) => {
    if (value === null) return value
    return personalKeys.has(name) || (isPerson && name === 'name') ? redacted : hide(value)
  })
}

const isValues = (value: Json): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const mapValues = (values: Values, map: (value: Json, name: string) => Json): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value, name)]))
