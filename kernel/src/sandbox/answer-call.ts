// Answers one call of a plugin: its input is parsed here, and what the broker gives or throws becomes text or an error with
// a code.
import type { Logger } from 'pino'
import { errors, isPlinthError, type PlinthError } from '../errors.ts'
import type { CallName } from '../protocol/calls.ts'
import type { Running } from './inside.ts'
import type { SandboxLimits } from './limits.ts'
import { writePluginLog } from './plugin-log.ts'

export type CallAnswer = { readonly value: string } | { readonly refusal: PlinthError }

/** Undefined when nobody waits for an answer. */
export async function answerCall(
  one: Running,
  name: CallName,
  body: string,
  { log, limits }: { readonly log: Logger; readonly limits: SandboxLimits },
): Promise<CallAnswer | undefined> {
  try {
    const input: unknown = JSON.parse(body)
    if (name === 'log.write') {
      if (one.mayLog?.() ?? true) writePluginLog(log, one, input)
      return undefined
    }
    one.spend?.('bytesIn', Buffer.byteLength(body))
    const value = JSON.stringify((await one.answer(name, input)) ?? null)
    const { answerBytes: cap } = limits.host
    const used = Buffer.byteLength(value)
    one.spend?.('bytesOut', used)
    if (used > cap) throw errors.limitExceeded({ module: one.module, limit: 'answer', used, cap })
    return { value }
  } catch (error) {
    return { refusal: isPlinthError(error) ? error : errors.internal({}, error) }
  } finally {
    if (name !== 'log.write') one.ledger.answered()
  }
}
