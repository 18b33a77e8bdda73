// JSON of strangers. `__proto__` as a key is refused: whoever copies such an object later would change its prototype.
import type { Refuse } from './refusal.ts'

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const utf8 = { fatal: true }

/** @throws when `bytes` are not UTF-8 */
export function decodeText(bytes: Uint8Array, what: string, refuse: Refuse): string {
  try {
    return new TextDecoder('utf-8', utf8).decode(bytes)
  } catch (cause) {
    throw refuse('contents', `${what} is not UTF-8 text.`, cause)
  }
}

/** @throws when `text` is no JSON, is nested too deep to walk, or has the key `__proto__` */
export function parseJson(text: string, what: string, refuse: Refuse): unknown {
  let poisoned = false
  try {
    const value: unknown = JSON.parse(text, (key, inner: unknown) => {
      if (key === '__proto__') poisoned = true
      return inner
    })
    if (!poisoned) return value
  } catch (cause) {
    throw refuse('contents', `${what} is not JSON that can be read.`, cause)
  }
  throw refuse('contents', `${what} has the key '__proto__'.`)
}
