// structuredClone for the values that business code holds: JSON values, Date, RegExp, Error, Map, Set, buffers and their
// views, with shared and circular references kept. Functions and symbols are refused, as the real one does.
import { isView } from './primordials.ts'
import { DOMException } from './web/dom-exception.ts'

export function structuredClone(value: unknown): unknown {
  return copy(value, new Map())
}

function copy(value: unknown, seen: Map<unknown, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol')
    throw new DOMException(`${String(value)} could not be cloned.`, 'DataCloneError')
  if (typeof value !== 'object' || value === null) return value
  if (seen.has(value)) return seen.get(value)
  const keep = <T>(made: T): T => {
    seen.set(value, made)
    return made
  }
  if (value instanceof Date) return keep(new Date(value.getTime()))
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags))
  if (value instanceof ArrayBuffer) return keep(value.slice(0))
  if (isView(value)) return keep(copyView(value, seen))
  if (value instanceof Error) return keep(copyError(value))
  if (Array.isArray(value)) {
    const made = keep([] as unknown[])
    for (const item of value) made.push(copy(item, seen))
    return made
  }
  if (value instanceof Map) {
    const made = keep(new Map())
    for (const [key, item] of value) made.set(copy(key, seen), copy(item, seen))
    return made
  }
  if (value instanceof Set) {
    const made = keep(new Set())
    for (const item of value) made.add(copy(item, seen))
    return made
  }
  const made = keep({} as Record<string, unknown>)
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(made, key, {
      value: copy(item, seen),
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  return made
}

function copyView(view: ArrayBufferView, seen: Map<unknown, unknown>): unknown {
  const { buffer, byteOffset, byteLength } = view
  const made = copy(buffer, seen)
  if (view instanceof DataView) return Reflect.construct(DataView, [made, byteOffset, byteLength])
  const { length }: { length?: unknown } = view as { length?: unknown }
  const prototype: { readonly constructor: unknown } = Object.getPrototypeOf(view)
  const kind = prototype.constructor
  if (typeof kind !== 'function') throw new DOMException('A view could not be cloned.', 'DataCloneError')
  return Reflect.construct(kind, [made, byteOffset, length])
}

const errorKinds: Readonly<Record<string, ErrorConstructor>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}

function copyError({ name, message, stack }: Error): Error {
  const made = new (errorKinds[name] ?? Error)(String(message))
  Object.defineProperty(made, 'stack', { value: stack, writable: true, configurable: true })
  return made
}
