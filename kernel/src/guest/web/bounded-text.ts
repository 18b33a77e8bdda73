// String.prototype.normalize with a bound. V8 cannot interrupt it, and it sorts runs of combining marks in quadratic
// time: 64 K of them took 1.5 s and 256 K took 25 s. A text that people write has three in a row.
import { defineProperty, NativeRangeError, normalize, test } from '../primordials.ts'

const longest = 262_144
const longRun = /\p{M}{65}/u

export function boundNormalize(): void {
  // A method, so that it is no constructor and reads `this` as the real one does.
  const { normalize: value } = {
    normalize(this: unknown, form?: unknown): string {
      if (this === null || this === undefined) throw new TypeError('normalize is called on a text.')
      const text = String(this)
      if (text.length > longest)
        throw new NativeRangeError(`normalize takes texts of up to ${longest} characters in the sandbox.`)
      if (test(longRun, text))
        throw new NativeRangeError('normalize takes no text with more than 64 combining marks in a row.')
      return form === undefined ? normalize(text) : normalize(text, form)
    },
  }
  defineProperty(String.prototype, 'normalize', {
    value,
    writable: true,
    configurable: true,
    enumerable: false,
  })
}
