// The error for the caller of an invocation, from what the guest says its handler failed with.
import { errors } from '../errors.ts'
import type { HandlerFailure } from '../protocol/envelope.ts'
import type { PluginRefusal } from './declared-failure.ts'

export interface FailedInvocation {
  readonly module: string
  /** What the kernel answered to calls it refused, by call. */
  readonly refused: ReadonlyMap<number, unknown>
}

function refusalOf(code: string, body: string): PluginRefusal {
  let data: unknown
  try {
    data = JSON.parse(body)
  } catch {
    data = undefined
  }
  const isObject = typeof data === 'object' && data !== null && !Array.isArray(data)
  return { name: 'PluginRefusal', code, data: isObject ? (data as Record<string, unknown>) : {} }
}

/** A PlinthError, or a PluginRefusal whose code nobody has looked up yet. `body` is the refusal's data. */
export function errorOfFailure(failure: HandlerFailure, one: FailedInvocation, body: string): unknown {
  const { module, refused } = one
  switch (failure.kind) {
    case 'threw': {
      const cause = new Error(failure.message)
      cause.stack = failure.stack === '' ? failure.message : failure.stack
      return errors.pluginFailed({ module }, cause)
    }
    case 'refused':
      return refusalOf(failure.code, body)
    case 'call':
      return refused.get(failure.call) ?? errors.pluginFailed({ module })
    case 'limit':
      return errors.limitExceeded({
        module,
        limit: failure.limit,
        used: Math.round(failure.used),
        cap: failure.cap,
      })
    case 'lost':
      return errors.moduleUnavailable({ module })
  }
}
