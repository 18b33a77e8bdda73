// Every error leaves as an RFC 9457 problem document with a stable code. What is not ours becomes ours here;
// nothing of an unexpected error but the request id is told to the client.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { errors, type FieldError, isPlinthError, type PlinthError } from '../errors.ts'

export interface Problem {
  readonly type: 'about:blank'
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly requestId: string
  /** Wrong fields, each with its path: 50 at most. */
  readonly errors?: readonly FieldError[]
  /** How many wrong fields there are besides. */
  readonly more?: number
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Too slow',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Too large',
  414: 'Too long',
  415: 'Unsupported media type',
  422: 'Not valid',
  428: 'Precondition required',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  502: 'Module failed',
  503: 'Not available',
  504: 'Module too slow',
}

/** Longest value of a parameter in a path, such as an id. */
export const longestPathPart = 200

const badUrl = 'The path is not well-formed: a % must be followed by two hexadecimal digits of UTF-8.'

interface ValidationIssue {
  readonly instancePath: string
  readonly keyword: string
  readonly message?: string
  readonly params: Readonly<Record<string, unknown>>
}

function fieldError(issue: ValidationIssue): FieldError {
  const parent = issue.instancePath.split('/').slice(1)
  const named = issue.params['missingProperty'] ?? issue.params['additionalProperty']
  const field = [...parent, ...(typeof named === 'string' ? [named] : [])].join('.') || 'body'
  if (issue.keyword === 'required') return { field, code: 'REQUIRED', message: 'is required' }
  if (issue.keyword === 'additionalProperties')
    return { field, code: 'UNKNOWN_FIELD', message: 'is not a field here' }
  return { field, code: 'INVALID', message: issue.message ?? 'is not valid' }
}

function fromFastify(error: FastifyError, bodyLimit: number): PlinthError | undefined {
  if (error.validation) {
    const issues: readonly ValidationIssue[] = error.validation
    return errors.validation({ errors: issues.map(fieldError) })
  }
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return errors.bodyTooLarge({ limit: bodyLimit })
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return errors.mediaType({})
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH') return errors.pathTooLong({ limit: longestPathPart })
  // Its message repeats the path, which may be long.
  if (error.code === 'FST_ERR_BAD_URL') return errors.badRequest({ reason: badUrl }, error)
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return errors.badRequest({ reason: error.message }, error)
  }
  return undefined
}

/** Our own error for anything that was thrown while handling a request. */
export function asPlinthError(error: unknown, bodyLimit: number): PlinthError {
  if (isPlinthError(error)) return error
  const known = error instanceof Error ? fromFastify(error as FastifyError, bodyLimit) : undefined
  return known ?? errors.internal({}, error)
}

export function problemBody(error: PlinthError, requestId: string): Problem & Record<string, unknown> {
  const fields = error.data['errors']
  return {
    ...(error.status < 500 || error.code === errors.limitExceeded.code ? error.data : {}),
    type: 'about:blank',
    title: titles[error.status] ?? 'Error',
    status: error.status,
    code: error.code,
    detail: error.message,
    requestId,
    ...(Array.isArray(fields) ? { errors: fields } : {}),
  }
}

/** An id by which the tenant's administrators ask why; see permissions/decision.ts. */
export type NameDecision = (
  tenantId: string,
  question: { user: string; action: string; record?: string; field?: string },
) => string

function decisionOf(
  { status, data }: PlinthError,
  { asker }: FastifyRequest,
  nameDecision: NameDecision | undefined,
): { decision?: string } {
  const { permission, record, field } = data
  if (status !== 403 || typeof permission !== 'string' || !asker || !nameDecision) return {}
  const question = {
    user: asker.user,
    action: permission,
    ...(typeof record === 'string' ? { record } : {}),
    ...(typeof field === 'string' ? { field } : {}),
  }
  return { decision: nameDecision(asker.tenant, question) }
}

export function sendProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  options: { bodyLimit: number; debug: boolean; nameDecision?: NameDecision | undefined },
): FastifyReply {
  const known = asPlinthError(error, options.bodyLimit)
  request.refusal = known.code
  request.log[known.level](
    { err: known.level === 'info' ? undefined : known, code: known.code },
    known.message,
  )
  if (known.status === 401) void reply.header('www-authenticate', 'Bearer')
  const { allowed, retryAfter } = known.data
  if (known.status === 405 && Array.isArray(allowed)) void reply.header('allow', allowed.join(', '))
  if (typeof retryAfter === 'number') void reply.header('retry-after', String(Math.ceil(retryAfter)))
  // Programs repeat what has a Retry-After, and this may have been done.
  else if (known.status === 503 && known.code !== errors.commitUncertain.code)
    void reply.header('retry-after', '1')
  const body = { ...problemBody(known, request.id), ...decisionOf(known, request, options.nameDecision) }
  const stack =
    options.debug && known.status >= 500 && known.cause instanceof Error ? known.cause.stack : undefined
  return reply
    .code(known.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(stack === undefined ? body : { ...body, stack })
}
