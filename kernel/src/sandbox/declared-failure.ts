// A refusal that a handler gave with fail(): its code must be one the plugin declares, its message is the declared
// one with the slots filled. Anything else a plugin throws is a failure of the plugin.
import type { Manifest } from '@plinth/sdk'
import { errors, type FieldError, PlinthError } from '../errors.ts'

const longestSlot = 200

/** How the host reports a fail(). */
export interface PluginRefusal {
  readonly name: 'PluginRefusal'
  readonly code: string
  readonly data: Readonly<Record<string, unknown>>
}

export const isPluginRefusal = (error: unknown): error is PluginRefusal =>
  typeof error === 'object' &&
  error !== null &&
  'name' in error &&
  error.name === 'PluginRefusal' &&
  'code' in error

const slot = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, longestSlot) : ''

const fieldPath = /^[A-Za-z0-9_.]{1,120}$/

/** The error for the caller, or undefined when `error` is no refusal of a plugin. */
export function declaredFailure(error: unknown, manifest: Manifest): PlinthError | undefined {
  if (!isPluginRefusal(error)) return undefined
  const declared = Object.hasOwn(manifest.errors, error.code) ? manifest.errors[error.code] : undefined
  if (!declared) {
    const cause = new Error(`fail('${error.code}'), a code that the plugin does not declare`)
    return errors.pluginFailed({ module: manifest.name }, cause)
  }
  const { data } = error
  const message = declared.message.replace(/\{(\w+)\}/g, (_, name: string) =>
    Object.hasOwn(data, name) ? slot(data[name]) : '',
  )
  const field = data['field']
  const fields: FieldError[] =
    typeof field === 'string' && fieldPath.test(field) ? [{ field, code: error.code, message }] : []
  const facts = Object.entries(data).filter(
    ([name, value]) =>
      /^[a-z][A-Za-z0-9]{0,40}$/.test(name) && ['string', 'number', 'boolean'].includes(typeof value),
  )
  return new PlinthError(error.code, declared.status, 'info', message, {
    module: manifest.name,
    ...Object.fromEntries(
      facts.map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, 1_000) : value]),
    ),
    ...(fields.length > 0 ? { errors: fields } : {}),
  })
}
