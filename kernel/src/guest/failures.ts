// Turns whatever a handler threw into text and data while still inside the isolate and its timeout: a getter that loops
// costs the plugin its CPU limit and the host nothing.
import { isPluginError } from '@plinth/sdk'
import type { HandlerFailure } from '../protocol/envelope.ts'
import { NativeError, NativeWeakMap, parse, slice, stringify } from './primordials.ts'

const longestMessage = 2_000
const longestStack = 4_000
const longestData = 8_000
const refusalCode = /^[A-Z][A-Z0-9_]{0,63}$/

// Which call of the kernel an error came from, so that the caller gets the kernel's own error and not a copy of it that
// the plugin could have written. A private map: a property could be set by anybody.
const origins = new NativeWeakMap<object, { readonly invocation: number; readonly call: number }>()
const originOf = NativeWeakMap.prototype.get.bind(origins) as (
  error: unknown,
) => ReturnType<typeof origins.get>
const setOrigin = NativeWeakMap.prototype.set.bind(origins)

/** The error a refused call rejects with: `code` and `data` are there for the plugin to look at. */
export function callError(invocation: number, call: number, text: string): Error {
  const { code, message, data }: { code?: unknown; message?: unknown; data?: unknown } = parse(text)
  const error = Object.assign(new NativeError(String(message)), { name: 'KernelError', code, data })
  setOrigin(error, { invocation, call })
  return error
}

const shortText = (value: unknown, longest: number): string =>
  typeof value === 'string' ? slice(value, 0, longest) : ''

function dataText(data: unknown): string {
  const text = stringify(data) ?? '{}'
  return text.length > longestData ? '{}' : text
}

export interface DescribedFailure {
  readonly failure: HandlerFailure
  readonly body: string
}

function describe(thrown: unknown, invocation: number): DescribedFailure {
  const isObject = typeof thrown === 'object' && thrown !== null
  const origin = isObject ? originOf(thrown) : undefined
  if (origin?.invocation === invocation) return { failure: { kind: 'call', call: origin.call }, body: '{}' }
  if (isPluginError(thrown) && refusalCode.test(thrown.code)) {
    return { failure: { kind: 'refused', code: thrown.code }, body: dataText(thrown.data) }
  }
  const { message, stack }: { message?: unknown; stack?: unknown } = isObject ? thrown : {}
  const said = typeof message === 'string' ? message : String(thrown)
  return {
    failure: {
      kind: 'threw',
      message: slice(said, 0, longestMessage),
      stack: shortText(stack, longestStack),
    },
    body: '{}',
  }
}

export function describeFailure(thrown: unknown, invocation: number): DescribedFailure {
  try {
    return describe(thrown, invocation)
  } catch {
    return {
      failure: { kind: 'threw', message: 'It threw something that cannot be read.', stack: '' },
      body: '{}',
    }
  }
}
