// Finds any of some texts in bytes that an enemy wrote, in time that grows with the bytes alone, and lets others run in
// between: `replaceAll` with texts made for it took 16 s over 5 MB. A rolling sum of 8 bytes is looked up in a table, and
// what is found there is compared for 64 bytes at most before it counts.
import { setImmediate as turn } from 'node:timers/promises'

export interface Found {
  readonly start: number
  readonly end: number
}

const window = 8
const compared = 64
const base = 31
const leaving = Array.from({ length: window }).reduce<number>((power) => Math.imul(power, base), 1)
const bytesPerTurn = 256 * 1024
const tableBits = 16

const sumOf = (bytes: Buffer): number => {
  let sum = 0
  for (let at = 0; at < window; at += 1) sum = (Math.imul(sum, base) + (bytes[at] ?? 0)) | 0
  return sum
}
const slotOf = (sum: number) => Math.imul(sum, 0x9e3779b1) >>> (32 - tableBits)

/** Those of 8 bytes and more; the beginning of a longer one counts from its 64th byte on. */
export type FindTexts = (bytes: Buffer) => Promise<readonly Found[]>

export function textFinder(texts: readonly Buffer[]): FindTexts {
  const slots = new Uint8Array(1 << tableBits)
  const bySum = new Map<number, Buffer[]>()
  for (const text of texts.filter(({ length }) => length >= window)) {
    const sum = sumOf(text)
    slots[slotOf(sum)] = 1
    bySum.set(sum, [...(bySum.get(sum) ?? []), text])
  }

  /** Where what stands at `start` ends, or `start` when it is none of the texts. */
  function endAt(bytes: Buffer, start: number, sum: number): number {
    let end = start
    for (const text of bySum.get(sum) ?? []) {
      const least = Math.min(text.length, compared)
      if (start + least > bytes.length || bytes.compare(text, 0, least, start, start + least) !== 0) continue
      let same = least
      while (same < text.length && text[same] === bytes[start + same]) same += 1
      end = Math.max(end, start + same)
    }
    return end
  }

  return async (bytes) => {
    const found: Found[] = []
    if (bySum.size === 0 || bytes.length < window) return found
    let sum = sumOf(bytes)
    let nextTurn = bytesPerTurn
    for (let start = 0; start + window <= bytes.length; ) {
      const end = slots[slotOf(sum)] === 1 ? endAt(bytes, start, sum) : start
      if (end > start) {
        found.push({ start, end })
        start = end
        sum = sumOf(bytes.subarray(start, start + window))
      } else {
        const [out = 0, into = 0] = [bytes[start], bytes[start + window]]
        sum = (Math.imul(sum, base) + into - Math.imul(out, leaving)) | 0
        start += 1
      }
      if (start >= nextTurn) {
        nextTurn = start + bytesPerTurn
        await turn()
      }
    }
    return found
  }
}
