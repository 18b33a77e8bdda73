// Answers one call of a plugin: its input is parsed here, and what the broker gives or throws becomes text for the plugin
// or the end of its invocation. The same for a host and for a realm in process.
import type { Logger } from 'pino'
import { errors, isPlinthError, type PlinthError } from '../errors.ts'
import type { CallName } from '../protocol/calls.ts'
import type { Running } from './inside.ts'
import type { SandboxLimits } from './limits.ts'
import { writePluginLog } from './plugin-log.ts'

export interface PluginCall {
  readonly call: number
  readonly name: CallName
  readonly body: string
}

/** What to tell the plugin, or, of a limit, what its invocation ends with: that is not the plugin's to catch. */
export type CallAnswer =
  | { readonly type: 'result' | 'failure'; readonly body: string }
  | { readonly type: 'over'; readonly error: PlinthError }

/** Undefined when nobody waits for an answer. */
export async function answerCall(
  one: Running,
  { call, name, body }: PluginCall,
  { log, limits }: { readonly log: Logger; readonly limits: Pick<SandboxLimits, 'host'> },
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
    return { type: 'result', body: value }
  } catch (thrown) {
    const error = isPlinthError(thrown) ? thrown : errors.internal({}, thrown)
    if (error.code === 'LIMIT_EXCEEDED' || error.code === 'JOB_CANCELLED') return { type: 'over', error }
    one.ledger.refuse(call, error)
    const { code, message, data } = error
    return { type: 'failure', body: JSON.stringify({ code, message, data }) }
  } finally {
    if (name !== 'log.write') one.ledger.answered()
  }
}
