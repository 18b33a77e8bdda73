// W3C Trace Context: a request continues the trace that its `traceparent` names, or begins one. What is kept is our own
// step in it, as others are to name it as their parent.
import { randomBytes } from 'node:crypto'

/** Version, trace, parent, flags. A later version may have more behind a further hyphen; version ff is forbidden. */
const form = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** `00-<trace>-<our step>-<flags>`. What is not well-formed is as good as not sent. */
export function continueTrace(given: string | undefined): string {
  const [, version, trace = '', parent = '', flags = '00', rest] = form.exec(given ?? '') ?? []
  const isGood = version !== undefined && /[1-9a-f]/.test(trace) && /[1-9a-f]/.test(parent)
  const fresh = randomBytes(24).toString('hex')
  if (!isGood || (version === '00' && rest !== undefined))
    return `00-${fresh.slice(0, 32)}-${fresh.slice(32)}-00`
  // Of the flags of a later version only 'sampled' is known here.
  const known = (Number.parseInt(flags, 16) & 1).toString(16).padStart(2, '0')
  return `00-${trace}-${fresh.slice(32)}-${known}`
}

export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)
