// What a plugin logs, in the kernel's log under its name: its level, its text, its data, and nothing it says of itself.
import type { Logger } from 'pino'

const levels = ['debug', 'info', 'warn', 'error'] as const
const longestMessage = 4_096

export function writePluginLog(
  log: Logger,
  invocation: { readonly module: string; readonly tenant: string; readonly requestId: string },
  input: unknown,
): void {
  if (typeof input !== 'object' || input === null) return
  const { level, message, data }: { level?: unknown; message?: unknown; data?: unknown } = input
  const known = levels.find((one) => one === level) ?? 'info'
  const { module, tenant, requestId } = invocation
  const text = typeof message === 'string' ? message.slice(0, longestMessage) : ''
  log[known]({ module, tenant, requestId, plugin: data }, text)
}
