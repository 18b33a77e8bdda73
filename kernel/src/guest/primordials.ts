// The built-ins the guest itself relies on, taken before the plugin's code can replace them. What counts and bounds goes
// through these; what the plugin does to its own globals is its own affair, for no other tenant shares its isolate.

export const { parse, stringify } = JSON
export const { assign, create, defineProperty, freeze, getOwnPropertyDescriptor, hasOwn, keys } = Object
export const { apply, construct, deleteProperty } = Reflect
export const { fromCharCode } = String
export const { now } = Date
export const NativeRangeError = RangeError
export const NativePromise = Promise
export const NativeError = Error
export const NativeTypeError = TypeError
export const NativeWeakMap = WeakMap

type Method<R> = (self: unknown, ...args: readonly unknown[]) => R

/** `uncurry(''.slice)(text, 0, 3)` calls the method whatever became of the prototype. */
export const uncurry =
  <R>(method: (...args: never[]) => R): Method<R> =>
  (self, ...args) =>
    apply(method, self, args)

export const slice = uncurry(''.slice)
export const indexOf = uncurry(''.indexOf)
export const charCodeAt = uncurry(''.charCodeAt)
export const replace = uncurry(''.replace as (this: string, pattern: RegExp, replacement: string) => string)
export const toLowerCase = uncurry(''.toLowerCase)
export const trim = uncurry(''.trim)
export const normalize = uncurry(''.normalize)
export const test = uncurry(/a/.test)
export const join = uncurry([].join)
/** By definition and not by assignment: a setter on Array.prototype sees nothing. */
export const push = <T>(list: T[], item: T): void => {
  defineProperty(list, list.length, { value: item, writable: true, enumerable: true, configurable: true })
}

const { isView: isNativeView } = ArrayBuffer
export const isView = (value: unknown): value is ArrayBufferView => isNativeView(value)

/** Bytes of a text in UTF-8. Surrogate pairs are four, which is two for each half. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at += 1) {
    const code = charCodeAt(text, at)
    if (code < 0x80) continue
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2
  }
  return bytes
}

/** Whether a text is within a size, without counting when its length alone says so. */
export const exceeds = (text: string, cap: number): boolean =>
  text.length > cap || (text.length * 3 > cap && utf8Length(text) > cap)

const [quote, backslash] = [34, 92]

/** Whether a JSON text nests deeper than `most`: what reads it in the kernel may do so by recursion. */
export function isDeeper(text: string, most: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = charCodeAt(text, at)
    if (code === quote) at = endOfString(text, at)
    else if (code === 91 || code === 123) depth += 1
    else if (code === 93 || code === 125) depth -= 1
    if (depth > most) return true
  }
  return false
}

/** Where the string that starts at `start` ends: at a quote with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  for (let end = indexOf(text, '"', start + 1); end >= 0; end = indexOf(text, '"', end + 1)) {
    let before = end - 1
    while (charCodeAt(text, before) === backslash) before -= 1
    if ((end - before) % 2 === 1) return end
  }
  return text.length
}
