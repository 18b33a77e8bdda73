// What a host or a realm says of an invocation that gave no value, as the error its caller should see.
import { errors } from '../errors.ts'
import type { HandlerFailure } from '../protocol/envelope.ts'
import type { PluginRefusal } from './declared-failure.ts'

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

/** `refusedCall`: what the kernel answered to a call that it refused. */
export function hostFailure(
  failure: HandlerFailure,
  module: string,
  body: string,
  refusedCall: (call: number) => unknown,
): unknown {
  switch (failure.kind) {
    case 'threw': {
      const cause = new Error(failure.message)
      cause.stack = failure.stack === '' ? failure.message : failure.stack
      return errors.pluginFailed({ module }, cause)
    }
    case 'refused':
      return refusalOf(failure.code, body)
    case 'call':
      return refusedCall(failure.call) ?? errors.pluginFailed({ module })
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
