// A host's header, read as if an attacker wrote it: every field checked, unknown fields and types refused. Written by
// hand because it runs for every call of every plugin, and has no dependency because the host shares this folder.
import { type CallName, isCallName } from './calls.ts'
import { ProtocolViolation } from './codec.ts'
import type { HandlerFailure, ToKernel } from './envelope.ts'
import { type LimitName, limitNames } from './limits.ts'

const longestText = 16 * 1024
const refusalCode = /^[A-Z][A-Z0-9_]{0,63}$/

type Fields = Readonly<Record<string, unknown>>

/** Only own properties are read, and `JSON.parse` makes even `__proto__` an own one, which no message has. */
function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProtocolViolation(`${what} is no object`)
  return value as Fields
}

function only(fields: Fields, ...names: readonly string[]): void {
  for (const name of Object.keys(fields)) {
    if (!names.includes(name)) throw new ProtocolViolation(`unknown field '${name.slice(0, 40)}'`)
  }
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function count(fields: Fields, name: string): number {
  const value = own(fields, name)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new ProtocolViolation(`${name} is no count`)
  return value
}

function amount(fields: Fields, name: string): number {
  const value = own(fields, name)
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw new ProtocolViolation(`${name} is no amount`)
  return value
}

function text(fields: Fields, name: string): string {
  const value = own(fields, name)
  if (typeof value !== 'string' || value.length > longestText)
    throw new ProtocolViolation(`${name} is no short text`)
  return value
}

function callName(fields: Fields): CallName {
  const name = own(fields, 'name')
  if (!isCallName(name)) throw new ProtocolViolation('call of something that does not exist')
  return name
}

function limitName(fields: Fields): LimitName {
  const limit = limitNames.find((name) => name === own(fields, 'limit'))
  if (limit === undefined) throw new ProtocolViolation('limit is none')
  return limit
}

function failureOf(fields: Fields): HandlerFailure {
  const kind = own(fields, 'kind')
  switch (kind) {
    case 'threw':
      only(fields, 'kind', 'message', 'stack')
      return { kind, message: text(fields, 'message'), stack: text(fields, 'stack') }
    case 'refused': {
      only(fields, 'kind', 'code')
      const code = text(fields, 'code')
      if (!refusalCode.test(code)) throw new ProtocolViolation('refusal without a code')
      return { kind, code }
    }
    case 'call':
      only(fields, 'kind', 'call')
      return { kind, call: count(fields, 'call') }
    case 'limit':
      only(fields, 'kind', 'limit', 'used', 'cap')
      return { kind, limit: limitName(fields), used: amount(fields, 'used'), cap: amount(fields, 'cap') }
    case 'lost':
      only(fields, 'kind')
      return { kind }
    default:
      throw new ProtocolViolation('failure of an unknown kind')
  }
}

/** A failure as a guest words it. @throws ProtocolViolation */
export const parseFailure = (text: string): HandlerFailure => failureOf(fieldsOf(parseJson(text), 'failure'))

function parseJson(header: string): unknown {
  try {
    return JSON.parse(header)
  } catch {
    throw new ProtocolViolation('header is not JSON')
  }
}

/** @throws ProtocolViolation */
export function parseToKernel(header: string): ToKernel {
  const fields = fieldsOf(parseJson(header), 'header')
  const type = own(fields, 'type')
  switch (type) {
    case 'call':
      only(fields, 'type', 'invocation', 'call', 'name')
      return {
        type,
        invocation: count(fields, 'invocation'),
        call: count(fields, 'call'),
        name: callName(fields),
      }
    case 'done':
      only(fields, 'type', 'invocation', 'cpuMs')
      return { type, invocation: count(fields, 'invocation'), cpuMs: amount(fields, 'cpuMs') }
    case 'failed': {
      only(fields, 'type', 'invocation', 'cpuMs', 'failure')
      const failure = failureOf(fieldsOf(own(fields, 'failure'), 'failure'))
      return { type, invocation: count(fields, 'invocation'), cpuMs: amount(fields, 'cpuMs'), failure }
    }
    case 'ready':
      only(fields, 'type', 'protocol')
      return { type, protocol: count(fields, 'protocol') }
    case 'refused':
      only(fields, 'type', 'reason')
      return { type, reason: text(fields, 'reason') }
    case 'dying':
      only(fields, 'type', 'invocation')
      return { type, invocation: count(fields, 'invocation') }
    case 'pong':
      only(fields, 'type', 'isolates')
      return { type, isolates: count(fields, 'isolates') }
    case 'loaded':
    case 'described':
      only(fields, 'type')
      return { type }
    default:
      throw new ProtocolViolation('message of an unknown type')
  }
}
