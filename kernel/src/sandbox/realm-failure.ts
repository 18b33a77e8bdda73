// What a realm in the kernel's process threw at the kernel itself, as a host would report it.
import type { HandlerFailure } from '../protocol/envelope.ts'

/** Both come from the plugin, and a getter of its own may be behind either. */
function read(thrown: object, name: 'message' | 'stack'): string {
  try {
    const value: unknown = Reflect.get(thrown, name)
    return typeof value === 'string' ? value : ''
  } catch {
    return ''
  }
}

export function realmFailure(thrown: unknown): Extract<HandlerFailure, { kind: 'threw' }> {
  const isObject = typeof thrown === 'object' && thrown !== null
  const message = isObject ? read(thrown, 'message') : ''
  return {
    kind: 'threw',
    message: message === '' ? 'It threw something without a message.' : message,
    stack: isObject ? read(thrown, 'stack') : '',
  }
}
