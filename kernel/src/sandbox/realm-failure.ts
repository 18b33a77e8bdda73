// What failed in a realm in the kernel's process, as a host would report it.
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

/** The kernel called it, so the kernel's frames are below its own: they are no business of the plugin's. */
const ownFrames = (stack: string): string => stack.replace(/\n\s+at [^\n]*(?:file:\/\/|node:)[^\n]*/g, '')

/** As the guest described it. */
export const guestFailure = (failure: HandlerFailure): HandlerFailure =>
  failure.kind === 'threw' ? { ...failure, stack: ownFrames(failure.stack) } : failure

/** What was thrown at the kernel itself, or left behind. */
export function realmFailure(thrown: unknown): Extract<HandlerFailure, { kind: 'threw' }> {
  const isObject = typeof thrown === 'object' && thrown !== null
  const message = isObject ? read(thrown, 'message') : ''
  return {
    kind: 'threw',
    message: message === '' ? 'It threw something without a message.' : message,
    stack: isObject ? ownFrames(read(thrown, 'stack')) : '',
  }
}
