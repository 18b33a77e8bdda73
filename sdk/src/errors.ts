// How a handler refuses, and how it answers with another record than the one it was called on.

/** A refusal with a code that the plugin declared under `errors`. Recognised by `name` and `code`, never `instanceof`. */
export interface PluginError extends Error {
  readonly name: 'PluginError'
  readonly code: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Whether `error` came from `fail`, of this copy of the SDK or another. */
export const isPluginError = (error: unknown): error is PluginError =>
  error instanceof Error && error.name === 'PluginError' && 'code' in error && typeof error.code === 'string'

/**
 * Ends the invocation: nothing of it is kept, and the caller gets the declared status and message, with the slots filled
 * from `data`. `data.field` names the field at fault, such as `lines.2.debit`.
 *
 * ```ts
 * if (late) fail('PERIOD_LOCKED', { date, field: 'date' })
 * ```
 *
 * A code that the plugin does not declare reaches the caller as `PLUGIN_FAILED`.
 */
export function fail(code: string, data: Readonly<Record<string, unknown>> = {}): never {
  throw Object.assign(new Error(code), { name: 'PluginError' as const, code, data: { ...data } })
}

/** The answer of an action that made another record. `$created` cannot be a field, so it is never taken for changes. */
export interface Created<R = unknown> {
  readonly $created: R
}

/**
 * Answers an action with another record than its own: the caller gets 201 and `record`.
 *
 * ```ts
 * run: async (ctx, entry) => created(await ctx.entities.journalEntry.create(counterOf(entry)))
 * ```
 */
export const created = <R extends { readonly id: string }>(record: R): Created<R> => ({ $created: record })

/** Whether an action's answer came from `created`. */
export const isCreated = (answer: unknown): answer is Created =>
  typeof answer === 'object' && answer !== null && '$created' in answer
