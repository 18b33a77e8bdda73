// Removes what an isolate offers and no limit can hold: memory that V8's limit does not count (WebAssembly, shared and
// resizable buffers, ICU), and code that runs outside every timeout (finalizers, stack formatting).
import { defineProperty, deleteProperty } from './primordials.ts'

const unbounded = [
  'WebAssembly',
  'SharedArrayBuffer',
  'Atomics',
  'FinalizationRegistry',
  'WeakRef',
  'Intl',
  'AsyncDisposableStack',
  'DisposableStack',
  'ShadowRealm',
]
const resizing = ['resize', 'transfer', 'transferToFixedLength', 'resizable', 'maxByteLength']

const fixed = (target: object, name: string, value: unknown): void => {
  defineProperty(target, name, { value, writable: false, enumerable: false, configurable: false })
}

export function stripGlobals(): void {
  for (const name of unbounded) deleteProperty(globalThis, name)
  for (const name of resizing) deleteProperty(ArrayBuffer.prototype, name)
  fixed(Error, 'prepareStackTrace', undefined)
  fixed(Error, 'stackTraceLimit', 10)
}
