// The rows of errors.ts on a plugin that fails, or asks for what it may not have.
import { defineError } from '../plinth-error.ts'

export const pluginErrors = {
  pluginFailed: defineError<{ module: string }>(
    'PLUGIN_FAILED',
    502,
    'error',
    (d) => `The module '${d.module}' failed while handling the request. Nothing was changed.`,
  ),
  pluginDeadline: defineError<{ module: string; limitMs: number }>(
    'PLUGIN_DEADLINE_EXCEEDED',
    504,
    'error',
    (d) => `The module '${d.module}' did not finish within ${d.limitMs} ms. Nothing was changed.`,
  ),
  limitExceeded: defineError<{
    module: string
    limit: string
    used: number
    cap: number
    /** Seconds, for a limit that time lifts. The others would be hit again. */
    retryAfter?: number
  }>(
    'LIMIT_EXCEEDED',
    502,
    'error',
    (d) =>
      `The module '${d.module}' went over its limit '${d.limit}': ${d.used} of ${d.cap}. Nothing was changed.`,
  ),
  /** `retryAfter` in seconds. */
  moduleUnavailable: defineError<{ module: string; retryAfter?: number }>(
    'MODULE_UNAVAILABLE',
    503,
    'warn',
    (d) => `The module '${d.module}' is not available at the moment. Nothing was changed. Try again.`,
  ),
  capabilityDenied: defineError<{ module: string; capability: string; reason: string }>(
    'CAPABILITY_DENIED',
    502,
    'warn',
    (d) => `The module '${d.module}' may not use '${d.capability}': ${d.reason}`,
  ),
  serviceCycle: defineError<{ module: string; service: string; path: readonly string[] }>(
    'SERVICE_CYCLE',
    502,
    'warn',
    (d) =>
      `The module '${d.module}' may not call '${d.service}', which waits for this call already: ${d.path.join(' -> ')}.`,
  ),
  /** `wrong`: paths and codes, `answer.lines.0.debit WRONG_TYPE`, and no values. */
  serviceAnswer: defineError<{ module: string; service: string; wrong: readonly string[] }>(
    'SERVICE_ANSWER_INVALID',
    502,
    'error',
    (d) =>
      `The service '${d.module}.${d.service}' did not answer what it declares: ${d.wrong.join(', ')}. Nothing was changed.`,
  ),
  sqlRefused: defineError<{ reason: string }>('SQL_REFUSED', 502, 'warn', (d) => `SQL refused: ${d.reason}`),
  fetchRefused: defineError<{ reason: string }>(
    'FETCH_REFUSED',
    502,
    'warn',
    (d) => `The fetch was refused: ${d.reason}`,
  ),
  fetchFailed: defineError<{ host: string }>(
    'FETCH_FAILED',
    502,
    'info',
    (d) => `The outside host '${d.host}' could not be reached or gave no usable answer.`,
  ),
  fetchTimeout: defineError<{ host: string; limitMs: number }>(
    'FETCH_TIMEOUT',
    504,
    'info',
    (d) => `The outside host '${d.host}' did not answer in full within ${d.limitMs} ms.`,
  ),
  fetchBusy: defineError<{ module: string }>(
    'FETCH_BUSY',
    503,
    'warn',
    (d) => `The module '${d.module}' cannot fetch now: too many fetches are under way. Try again.`,
  ),
}
