// The built-ins the guest itself relies on, taken before the plugin's code can replace them. What counts and bounds goes
// through these; what the plugin does to its own globals is its own affair, for no other tenant shares its isolate.

export const { parse, stringify } = JSON
export const { create, defineProperty, freeze, getOwnPropertyDescriptor, hasOwn, keys } = Object
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
