// W3C Trace Context: a request continues the trace that its `traceparent` names, or begins one. What is kept is our own
// step in it, as others are to name it as their parent.
import { randomFillSync } from 'node:crypto'

/** Version, trace, parent, flags. A later version may have more behind a further hyphen; version ff is forbidden. */
const form = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Random digits in hexadecimal. The system is asked for those of many requests at once: it is the asking that costs. */
function createDigits(): (bytes: number) => string {
  const supply = Buffer.allocUnsafeSlow(4_080)
  let used = supply.length
  return (bytes) => {
    if (used + bytes > supply.length) {
      randomFillSync(supply)
      used = 0
    }
    used += bytes
    return supply.toString('hex', used - bytes, used)
  }
}

/** `00-<trace>-<our step>-<flags>`, for what a request brought. What is not well-formed is as good as not sent. */
export function traceContinuer(): (given: string | undefined) => string {
  const digits = createDigits()
  return (given) => {
    const [, version, trace = '', parent = '', flags = '00', rest] = form.exec(given ?? '') ?? []
    const isGood = version !== undefined && /[1-9a-f]/.test(trace) && /[1-9a-f]/.test(parent)
    if (!isGood || (version === '00' && rest !== undefined)) return `00-${digits(16)}-${digits(8)}-00`
    // Of the flags of a later version only 'sampled' is known here.
    const known = (Number.parseInt(flags, 16) & 1).toString(16).padStart(2, '0')
    return `00-${trace}-${digits(8)}-${known}`
  }
}

export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35)
