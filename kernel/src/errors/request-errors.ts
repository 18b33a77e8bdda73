// The rows of errors.ts that say what is wrong with a request before anybody asks what it is for.
import { defineError, type ErrorDefinition, type FieldError, PlinthError } from '../plinth-error.ts'

/** A body of a megabyte can be wrong in a hundred thousand places: what is answered of that stays small. */
const mostFieldErrors = 50
const mostInDetail = 5

function defineValidationError(): ErrorDefinition<{ errors: readonly FieldError[] }> {
  const code = 'VALIDATION_FAILED'
  const make = ({ errors: found }: { errors: readonly FieldError[] }, cause?: unknown) => {
    const named = found.slice(0, mostInDetail).map((e) => `${e.field}: ${e.message}`)
    const rest = found.length > mostInDetail ? ` And ${found.length - mostInDetail} more.` : ''
    const message = `${named.join(' ') || 'The input is not valid.'}${rest}`
    const data =
      found.length > mostFieldErrors
        ? { errors: found.slice(0, mostFieldErrors), more: found.length - mostFieldErrors }
        : { errors: found }
    return new PlinthError(code, 422, 'info', message, data, cause)
  }
  return Object.assign(make, { code, status: 422 })
}

type Nothing = Record<string, never>

export const requestErrors = {
  badRequest: defineError<{ reason: string }>('REQUEST_MALFORMED', 400, 'info', (d) => d.reason),
  validation: defineValidationError(),
  pathTooLong: defineError<{ limit: number }>(
    'PATH_TOO_LONG',
    414,
    'info',
    (d) => `A part of the path is longer than ${d.limit} characters.`,
  ),
  headersTooLarge: defineError<Nothing>(
    'HEADERS_TOO_LARGE',
    431,
    'info',
    () => 'The request line and the headers are larger than 16 KiB together.',
  ),
  requestTimeout: defineError<Nothing>(
    'REQUEST_TIMEOUT',
    408,
    'info',
    () => 'The request did not arrive in time: 10 s for the headers, 30 s for all of it.',
  ),
  methodNotAllowed: defineError<{ method: string; path: string; allowed: readonly string[] }>(
    'METHOD_NOT_ALLOWED',
    405,
    'info',
    (d) => `There is no ${d.method} ${d.path}. It answers to ${d.allowed.join(', ')}.`,
  ),
  bodyTooLarge: defineError<{ limit: number }>(
    'BODY_TOO_LARGE',
    413,
    'info',
    (d) => `The request body is larger than ${d.limit} bytes.`,
  ),
  mediaType: defineError<Nothing>(
    'MEDIA_TYPE_UNSUPPORTED',
    415,
    'info',
    () => 'Send the body as application/json.',
  ),
  rateLimited: defineError<{ policy: string; limit: number; retryAfter: number }>(
    'RATE_LIMITED',
    429,
    'info',
    (d) => `More than ${d.limit} requests in a minute (${d.policy}). Try again in ${d.retryAfter} s.`,
  ),
  idempotencyKeyReused: defineError<Nothing>(
    'IDEMPOTENCY_KEY_REUSED',
    422,
    'info',
    () => 'Another request was sent with this Idempotency-Key. Take a new key for each new request.',
  ),
  idempotencyInProgress: defineError<{ retryAfter: number }>(
    'IDEMPOTENCY_IN_PROGRESS',
    409,
    'info',
    () => 'A request with this Idempotency-Key is still being carried out. Send it again for its answer.',
  ),
  idempotencyAnswerGone: defineError<Nothing>(
    'IDEMPOTENCY_ANSWER_GONE',
    409,
    'info',
    () =>
      'The request with this Idempotency-Key was carried out, and its answer is not kept. Read what is there.',
  ),
  cursorInvalid: defineError<Nothing>(
    'CURSOR_INVALID',
    400,
    'info',
    () => 'The cursor is not one this list gave out. Start again without it.',
  ),
}
