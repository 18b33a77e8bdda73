// What somebody wants to set of the governor limits, checked: every wrong name and figure is named.
import { nearestName } from '../data/nearest-name.ts'
import { errors, type FieldError } from '../errors.ts'
import {
  type GovernorLimit,
  isGovernorLimit,
  type LimitOverrides,
  limitNames,
  limitRows,
  type WorkKind,
} from './governor-limits.ts'

const kinds: readonly WorkKind[] = Object.freeze(['request', 'job'])

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function unknownName(field: string, name: string): FieldError {
  const near = nearestName(name, limitNames)
  const message = near ? `is no limit. Did you mean '${near}'?` : 'is no limit. See docs/limits.md.'
  return { field, code: 'UNKNOWN_FIELD', message }
}

function wrongFigure(name: GovernorLimit, value: unknown): string | undefined {
  const { most } = limitRows[name]
  if (most === undefined) return 'is the same for everybody and cannot be set.'
  const isRight = typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most
  return isRight ? undefined : `must be a whole number from 1 to ${most}.`
}

/** `{ request: { queries: 200 }, job: {} }`. @throws VALIDATION_FAILED naming each field */
export function parseLimits(input: unknown): LimitOverrides {
  if (!isObject(input)) {
    const message = 'must be an object with "request", "job" or both.'
    throw errors.validation({ errors: [{ field: 'body', code: 'INVALID', message }] })
  }
  const wrong: FieldError[] = []
  const parsed: Partial<Record<WorkKind, Partial<Record<GovernorLimit, number>>>> = {}
  for (const [kindName, wanted] of Object.entries(input)) {
    const kind = kinds.find((one) => one === kindName)
    if (!kind || !isObject(wanted)) {
      const message = kind ? 'must be an object of limits.' : 'must be request or job.'
      wrong.push({ field: kindName.slice(0, 60), code: kind ? 'INVALID' : 'UNKNOWN_FIELD', message })
      continue
    }
    const figures: Partial<Record<GovernorLimit, number>> = {}
    for (const [name, value] of Object.entries(wanted)) {
      const field = `${kind}.${name.slice(0, 60)}`
      if (!isGovernorLimit(name)) {
        wrong.push(unknownName(field, name))
        continue
      }
      const message = wrongFigure(name, value)
      if (message !== undefined) wrong.push({ field, code: 'INVALID', message })
      else if (typeof value === 'number') figures[name] = value
    }
    if (Object.keys(figures).length > 0) parsed[kind] = figures
  }
  if (wrong.length > 0) throw errors.validation({ errors: wrong })
  return parsed
}
