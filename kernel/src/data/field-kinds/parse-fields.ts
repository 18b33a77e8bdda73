// Turns what a client or a plugin sent into values of declared fields, or names everything that is wrong with it.
// Nothing behind this looks at the form of a value again.
import type { FieldSpec, FieldSpecs, Json } from '@plinth/sdk'
import { errors, type FieldError } from '../../errors.ts'
import { nearestName } from '../nearest-name.ts'
import type { Place } from './field-kind.ts'
import { fieldKinds } from './kinds.ts'

export type Values = Readonly<Record<string, Json>>

export interface ParseOptions {
  /** Values come from a query string: '12' is a number where one is declared. */
  readonly coerce?: boolean
  /** Start of every path in errors. */
  readonly path?: string
}

export interface RecordOptions {
  /** The plugin itself writes: it may move the state. Clients never may. */
  readonly allowState?: boolean
}

/** The values of an input, with defaults. Absent optional fields stay absent; null counts as absent. */
export function parseFields(fields: FieldSpecs, input: unknown, options: ParseOptions = {}): Values {
  const found: FieldError[] = []
  const values = parseInto(found, fields, input, options.path ?? '', options.coerce ?? false)
  if (found.length > 0) throw errors.validation({ errors: found })
  return values
}

/**
 * The values of a record: all of it (`create`, with defaults) or what changes (`patch`, where null clears a field).
 * Numbers of a series are never settable, states only in a patch of the plugin itself.
 */
export function parseRecord(
  fields: FieldSpecs,
  input: unknown,
  mode: 'create' | 'patch',
  options: RecordOptions = {},
): { readonly values: Values } {
  const found: FieldError[] = []
  const given = objectOf(input, '', found)
  if (found.length > 0) throw errors.validation({ errors: found })
  refuseUnknown(fields, given, '', found)
  const values: Record<string, Json> = {}
  for (const [name, spec] of Object.entries(fields)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    if (isKernels(name, spec, value, mode, options, found)) continue
    if (mode === 'patch') patchField(name, spec, value, values, found)
    else takeField(name, spec, value, values, found, '', false)
  }
  if (found.length > 0) throw errors.validation({ errors: found })
  return { values }
}

/** Fields that the kernel fills; an error when somebody tries to. */
function isKernels(
  name: string,
  spec: FieldSpec,
  value: unknown,
  mode: 'create' | 'patch',
  { allowState = false }: RecordOptions,
  found: FieldError[],
): boolean {
  if (spec.kind !== 'sequence' && spec.kind !== 'state') return false
  if (value === undefined) return true
  if (spec.kind === 'sequence') {
    found.push({ field: name, code: 'NOT_SETTABLE', message: 'is numbered by the system.' })
    return true
  }
  if (allowState && mode === 'patch') return false
  if (allowState && value === initialState(spec)) return true
  const message =
    mode === 'create'
      ? `starts as '${initialState(spec)}' and is moved by actions.`
      : 'is moved by actions only.'
  found.push({ field: name, code: 'NOT_SETTABLE', message })
  return true
}

export const initialState = (spec: FieldSpec): string =>
  spec.initial ?? Object.keys(spec.transitions ?? {})[0] ?? ''

function parseInto(
  found: FieldError[],
  fields: FieldSpecs,
  input: unknown,
  path: string,
  coerce: boolean,
): Record<string, Json> {
  const before = found.length
  const given = objectOf(input, path, found)
  if (found.length > before) return {}
  refuseUnknown(fields, given, path, found)
  const values: Record<string, Json> = {}
  for (const [name, spec] of Object.entries(fields)) {
    takeField(name, spec, Object.hasOwn(given, name) ? given[name] : undefined, values, found, path, coerce)
  }
  return values
}

function takeField(
  name: string,
  spec: FieldSpec,
  value: unknown,
  values: Record<string, Json>,
  found: FieldError[],
  path: string,
  coerce: boolean,
): void {
  const at = pathOf(path, name)
  if (value === undefined || value === null) {
    if (spec.default !== undefined) values[name] = spec.default
    else if (!spec.optional) found.push({ field: at, code: 'REQUIRED', message: 'is required.' })
    return
  }
  const parsed = fieldKinds[spec.kind].parse(value, spec, placeAt(at, coerce, found))
  if (parsed !== undefined) values[name] = parsed
}

function patchField(
  name: string,
  spec: FieldSpec,
  value: unknown,
  values: Record<string, Json>,
  found: FieldError[],
): void {
  if (value === undefined) return
  if (value !== null) takeField(name, spec, value, values, found, '', false)
  else if (spec.optional) values[name] = null
  else found.push({ field: name, code: 'REQUIRED', message: 'is required and cannot be cleared.' })
}

const placeAt = (path: string, coerce: boolean, found: FieldError[]): Place => ({
  path,
  coerce,
  errors: found,
  parseFields: (fields, input, below) => parseInto(found, fields, input, below, coerce),
})

const pathOf = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

function objectOf(input: unknown, path: string, found: FieldError[]): Readonly<Record<string, unknown>> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
    return input as Readonly<Record<string, unknown>>
  }
  found.push({ field: path === '' ? 'body' : path, code: 'WRONG_TYPE', message: 'must be an object.' })
  return {}
}

const baseNames: ReadonlySet<string> = new Set([
  'id',
  'version',
  'createdAt',
  'createdBy',
  'updatedAt',
  'updatedBy',
])

/** Comparing a name with all the others costs more than finding it wrong, and few are read. */
const mostHints = 10

function refuseUnknown(
  fields: FieldSpecs,
  given: Readonly<Record<string, unknown>>,
  path: string,
  found: FieldError[],
): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(fields, name)) continue
    // What a client sends may be long; what we repeat of it must not be.
    const field = pathOf(path, name.slice(0, 60))
    if (path === '' && baseNames.has(name)) {
      found.push({ field, code: 'NOT_SETTABLE', message: 'is kept by the system.' })
      continue
    }
    const near = found.length < mostHints ? nearestName(name, Object.keys(fields)) : undefined
    const hint = near === undefined ? '' : ` Did you mean '${near}'?`
    found.push({ field, code: 'UNKNOWN_FIELD', message: `does not exist.${hint}` })
  }
}
