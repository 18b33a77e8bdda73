// What an action's handler answered, taken as data: changes to its record, or the id of another record it made.
import type { Json } from '@plinth/sdk'
import { errors } from '../errors.ts'

export interface ActionAnswer {
  readonly changes?: Readonly<Record<string, unknown>>
  /** Id of the record to answer with. */
  readonly created?: string
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @throws PLUGIN_FAILED when the answer is neither */
export function parseActionAnswer(module: string, answer: Json): ActionAnswer {
  if (!isObject(answer)) throw errors.pluginFailed({ module })
  const { changes, created } = answer
  if (isObject(created) && typeof created['id'] === 'string') return { created: created['id'] }
  if (isObject(changes)) return { changes }
  if (Object.keys(answer).length === 0) return {}
  throw errors.pluginFailed({ module })
}
