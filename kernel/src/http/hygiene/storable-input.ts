// Texts that no database keeps: PostgreSQL has no NUL, and half a surrogate pair is no character of UTF-8. They are refused
// here for every route, with the place where they stand, and so is a body nested deeper than what reads it may go.
import type { FastifyRequest } from 'fastify'
import { errors, type FieldError } from '../../errors.ts'

/** Levels of objects and lists in a body. */
const deepest = 100

function problemOf(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain a NUL character.'
  return text.isWellFormed() ? undefined : 'must be well-formed Unicode.'
}

/** Of a name that is itself the problem, what can be shown. */
const shown = (path: string): string => path.replaceAll('\0', '').toWellFormed()

function refuse(field: string, message: string, code = 'TEXT_INVALID'): never {
  const wrong: FieldError = { field: shown(field), code, message }
  throw errors.validation({ errors: [wrong] })
}

function checkText(text: string, path: string): void {
  const problem = problemOf(text)
  if (problem !== undefined) refuse(path, problem)
}

/**
 * Path and query, before anybody looks a tenant up by them. In a URL only a NUL can be written: other bytes that are no
 * UTF-8 are refused with the path, and taken for U+FFFD in a query.
 * @throws VALIDATION_FAILED
 */
export function checkUrlTexts({ url, params }: Pick<FastifyRequest, 'url' | 'params'>): void {
  if (!url.includes('%00')) return
  for (const [name, value] of Object.entries(params ?? {})) checkText(String(value), name)
  const at = url.indexOf('?')
  if (at === -1) return
  for (const [name, value] of new URLSearchParams(url.slice(at))) {
    checkText(name, name)
    checkText(value, name)
  }
}

interface Part {
  readonly value: unknown
  readonly path: string
  readonly depth: number
}

/** By a list of what is still to be looked at: a body of brackets alone must not fill the stack. @throws VALIDATION_FAILED */
export function checkBodyTexts(body: unknown): void {
  const left: Part[] = [{ value: body, path: '', depth: 0 }]
  for (let part = left.pop(); part; part = left.pop()) {
    const { value, path, depth } = part
    if (typeof value === 'string') checkText(value, path || 'body')
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) continue
    if (depth === deepest) refuse('body', `must not be nested deeper than ${deepest} levels.`, 'TOO_DEEP')
    for (const [name, inner] of Object.entries(value)) {
      const below = path === '' ? name : `${path}.${name}`
      checkText(name, below)
      if (typeof inner === 'string') checkText(inner, below)
      else if (typeof inner === 'object') left.push({ value: inner, path: below, depth: depth + 1 })
    }
  }
}
