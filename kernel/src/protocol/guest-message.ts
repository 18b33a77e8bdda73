// What a guest says to whatever runs it: five primitives through one callback. Read as the plugin's own words, for a plugin
// that got hold of the callback could say anything with it, but only about its own tenant's invocations.
import { type CallName, isCallName } from './calls.ts'
import type { HandlerFailure } from './envelope.ts'
import { parseFailure } from './parse-to-kernel.ts'

export type GuestMessage =
  | {
      readonly kind: 'call'
      readonly invocation: number
      readonly call: number
      readonly name: CallName
      readonly body: string
    }
  /** Enter again for this timer after so many milliseconds. */
  | { readonly kind: 'timer'; readonly invocation: number; readonly timer: number; readonly ms: number }
  | { readonly kind: 'untimer'; readonly invocation: number; readonly timer: number }
  | { readonly kind: 'done'; readonly invocation: number; readonly body: string }
  | {
      readonly kind: 'failed'
      readonly invocation: number
      readonly failure: HandlerFailure
      readonly body: string
    }

/** An argument is bounded in the guest; this is what a guest that was tampered with can make its runtime carry. */
const longestBody = 1_500_000

/** Longer than any header the guest writes, and short of what the kernel takes for one. */
const longestFailure = 16 * 1024

const longestDelay = 0x7fffffff

const isId = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/** What is no failure is one all the same. Passed on as it is, it would cost the whole host its life in the kernel. */
function failureOf(text: string): HandlerFailure {
  try {
    return parseFailure(text)
  } catch {
    return { kind: 'threw', message: 'It failed in a form that cannot be read.', stack: '' }
  }
}

/** Undefined for what the guest's own code never sends. */
export function parseGuestMessage(
  kind: unknown,
  invocation: unknown,
  call: unknown,
  head: unknown,
  body: unknown,
): GuestMessage | undefined {
  if (!isId(invocation) || typeof body !== 'string' || body.length > longestBody) return undefined
  if (kind === 'done') return { kind, invocation, body }
  if (kind === 'call')
    return isId(call) && isCallName(head) ? { kind, invocation, call, name: head, body } : undefined
  if (kind === 'timer') {
    const ms = Number(head)
    const isDelay = isId(ms) && ms <= longestDelay
    return isId(call) && isDelay ? { kind, invocation, timer: call, ms } : undefined
  }
  if (kind === 'untimer') return isId(call) ? { kind, invocation, timer: call } : undefined
  if (kind !== 'failed' || typeof head !== 'string' || head.length > longestFailure) return undefined
  return { kind, invocation, failure: failureOf(head), body }
}
