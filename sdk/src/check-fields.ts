// Which fields could never work, and where. One sentence each, naming the field.

import { isCivilDate } from './dates.ts'
import { isDecimal } from './decimals.ts'
import { didYouMean } from './did-you-mean.ts'
import type { FieldSpec, FieldSpecs } from './manifest.ts'

export const KEY = /^[a-z][A-Za-z0-9]{0,40}$/

/** Where fields stand: what is stored has columns and states, what is only passed along may be nested. */
export type Place = 'entity' | 'lines' | 'values'

// What the kernel adds to each record. A field of the same name would hide it, or share its column.
const KERNEL_FIELDS = ['id', 'tenantId', 'version', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy']

// Columns that every table of PostgreSQL has. It refuses to make another one of the name.
const SYSTEM_COLUMNS = ['ctid', 'cmax', 'cmin', 'tableoid', 'xmax', 'xmin']

/** What is wrong with `fields` of `owner`, such as `entity 'invoice'`; `entities` are the plugin's own. */
export function checkFields(
  owner: string,
  fields: FieldSpecs,
  place: Place,
  entities: readonly string[],
): string[] {
  const wrong = Object.entries(fields).flatMap(([key, spec]) =>
    checkField(`Field '${key}' of ${owner}`, key, spec, place, entities, fields),
  )
  if (place !== 'values') wrong.push(...sharedColumns(owner, fields))
  const states = Object.keys(fields).filter((key) => fields[key]?.kind === 'state')
  if (states.length > 1)
    wrong.push(`The ${owner} has ${states.length} state fields: ${states.join(', ')}. One is the most.`)
  return wrong
}

function checkField(
  name: string,
  key: string,
  spec: FieldSpec,
  place: Place,
  entities: readonly string[],
  siblings: FieldSpecs,
): string[] {
  const wrong: string[] = []
  if (!isKey(key)) wrong.push(`${name} has a bad name: begin with a small letter, then letters and digits.`)
  if (place !== 'values' && KERNEL_FIELDS.includes(key))
    wrong.push(`${name} has a name that the kernel uses itself.`)
  if (place !== 'values' && SYSTEM_COLUMNS.includes(key))
    wrong.push(`${name} has the name of a column that PostgreSQL keeps itself. Choose another.`)
  const nestable: readonly Place[] | undefined = PLACES[spec.kind]
  if (nestable && !nestable.includes(place)) wrong.push(`${name} cannot be of the type '${spec.kind}' there.`)
  if (spec.unique && place !== 'entity')
    wrong.push(`${name} cannot be unique: only a field of an entity can.`)
  if (spec.min !== undefined && spec.max !== undefined && spec.min > spec.max) {
    wrong.push(`${name} has a range that nothing fits: from ${spec.min} to ${spec.max}.`)
  }
  if (spec.fields)
    wrong.push(...checkFields(`${spec.kind} '${key}'`, spec.fields, inside(spec, place), entities))
  return [
    ...wrong,
    ...checkReference(name, spec, entities),
    ...checkStates(name, spec),
    ...checkSequence(name, spec, siblings),
    ...checkDefault(name, spec),
  ]
}

const PLACES: Partial<Record<FieldSpec['kind'], readonly Place[]>> = {
  lines: ['entity', 'values'],
  object: ['values'],
  state: ['entity'],
  sequence: ['entity'],
}

const inside = (spec: FieldSpec, place: Place): Place =>
  place === 'entity' && spec.kind === 'lines' ? 'lines' : 'values'

/** Whether `key` can name a thing. `constructor` and its like cannot: looking them up finds JavaScript's own. */
export const isKey = (key: string): boolean => KEY.test(key) && !(key in Object.prototype)

function checkReference(name: string, spec: FieldSpec, entities: readonly string[]): string[] {
  const to = spec.entity
  if (spec.kind !== 'ref' || to === undefined || entities.includes(to)) return []
  if (/^[a-z][a-z0-9]*\.[a-z][A-Za-z0-9]*$/.test(to)) return []
  return [`${name} refers to an entity '${to}' that this plugin does not have.${didYouMean(to, entities)}`]
}

function checkStates(name: string, spec: FieldSpec): string[] {
  if (spec.kind === 'choice' && new Set(spec.values).size !== (spec.values?.length ?? 0)) {
    return [`${name} lists a choice twice.`]
  }
  if (spec.kind === 'choice' && !spec.values?.length) return [`${name} has nothing to choose from.`]
  if (spec.kind !== 'state') return []
  const states = Object.keys(spec.transitions ?? {})
  if (states.length === 0) return [`${name} has no states.`]
  return [
    ...states
      .filter((state) => !isKey(state))
      .map((state) => `${name} has a state with the bad name '${state}'.`),
    ...Object.entries(spec.transitions ?? {}).flatMap(([from, to]) =>
      to
        .filter((state) => !states.includes(state))
        .map(
          (state) =>
            `${name} goes from '${from}' to an unknown state '${state}'.${didYouMean(state, states)}`,
        ),
    ),
  ]
}

function checkSequence(name: string, spec: FieldSpec, siblings: FieldSpecs): string[] {
  if (spec.kind !== 'sequence') return []
  const wrong: string[] = []
  const slots = spec.pattern?.match(/\{[^}]*\}/g) ?? []
  const counters = slots.filter((slot) => /^\{0+\}$/.test(slot))
  if (counters.length !== 1 || slots.some((slot) => slot !== '{year}' && !counters.includes(slot))) {
    wrong.push(
      `${name} has the pattern '${spec.pattern}': it needs one counter such as {00000}, and may have {year}.`,
    )
  }
  if (spec.at !== undefined) {
    const states = Object.values(siblings).flatMap((field) => Object.keys(field.transitions ?? {}))
    if (!states.includes(spec.at)) {
      wrong.push(`${name} is numbered at an unknown state '${spec.at}'.${didYouMean(spec.at, states)}`)
    }
  }
  if (spec.dateField !== undefined && ownField(siblings, spec.dateField)?.kind !== 'date') {
    wrong.push(`${name} takes its year from '${spec.dateField}', which is not a date field.`)
  }
  return wrong
}

function checkDefault(name: string, spec: FieldSpec): string[] {
  const value = spec.default
  if (value === undefined || fits(spec, value)) return []
  return [`${name} has a default that it would refuse itself: ${JSON.stringify(value)}.`]
}

function fits(spec: FieldSpec, value: unknown): boolean {
  const { min = -Infinity, max = Infinity } = spec
  if (spec.kind === 'int') return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
  if (spec.kind === 'text') return typeof value === 'string' && value.length >= min && value.length <= max
  if (spec.kind === 'bool') return typeof value === 'boolean'
  if (spec.kind === 'date') return isCivilDate(value)
  if (spec.kind === 'decimal') return isDecimal(value)
  if (spec.kind === 'choice') return typeof value === 'string' && spec.values?.includes(value) === true
  return true
}

// Money takes two columns and lines take a table, so `debit` as money and a text `debitAmount` would meet in one column.
function sharedColumns(owner: string, fields: FieldSpecs): string[] {
  const seen = new Map<string, string>()
  const wrong: string[] = []
  for (const [key, spec] of Object.entries(fields)) {
    for (const column of spec.kind === 'money' ? [`${key}Amount`, `${key}Currency`] : [key]) {
      const name = column.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      const other = seen.get(name)
      if (other) wrong.push(`Fields '${other}' and '${key}' of ${owner} would share a column '${name}'.`)
      seen.set(name, key)
    }
  }
  return wrong
}

export const ownField = (fields: FieldSpecs, key: string): FieldSpec | undefined =>
  Object.hasOwn(fields, key) ? fields[key] : undefined
