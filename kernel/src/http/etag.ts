// ETags are record versions: "3". If-Match guards a change, If-None-Match saves a transfer. As RFC 9110, section 13, has
// them: lists, `*`, and weak tags, which never match where a change depends on them.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'

export const etagOf = (record: { readonly version: number }): string => `"${record.version}"`

interface EntityTag {
  readonly isWeak: boolean
  /** With its quotes. */
  readonly opaque: string
}

// A comma may stand in a tag. Linear: what separates two tags cannot begin one.
const oneTag = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,[ \t,]*|$)/y

/** The tags of a list, `*`, or undefined when it is neither. */
function parseTags(header: string): readonly EntityTag[] | '*' | undefined {
  const text = header.replace(/^[ \t,]+/, '').trimEnd()
  if (text === '*') return '*'
  const tags: EntityTag[] = []
  oneTag.lastIndex = 0
  while (oneTag.lastIndex < text.length) {
    const found = oneTag.exec(text)
    if (!found) return undefined
    tags.push({ isWeak: found[1] !== undefined, opaque: found[2] ?? '' })
  }
  return tags.length > 0 ? tags : undefined
}

/** The versions a change may be made to; none without the header or with `*`: then it may be made to any. */
export function ifMatch(request: FastifyRequest): { readonly versions?: readonly number[] } {
  const header = request.headers['if-match']
  if (header === undefined) return {}
  const tags = parseTags(header)
  if (tags === undefined) {
    const message = 'must be the ETag of the record, such as "3", a list of such, or *'
    throw errors.validation({ errors: [{ field: 'If-Match', code: 'INVALID', message }] })
  }
  if (tags === '*') return {}
  const versions = tags.flatMap(({ isWeak, opaque }) => {
    const version = isWeak ? undefined : /^"([1-9]\d{0,8})"$/.exec(opaque)?.[1]
    return version === undefined ? [] : [Number(version)]
  })
  return { versions }
}

/** Weakly compared: a proxy that packs an answer weakens its tag. What cannot be read is as if it were not there. */
export function hasAlready(request: FastifyRequest, etag: string): boolean {
  const header = request.headers['if-none-match']
  if (header === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return false
  const tags = parseTags(header)
  return tags === '*' || (tags?.some(({ opaque }) => opaque === etag) ?? false)
}

/** Answers with a record and its ETag; with nothing when the client has this version already. */
export function sendRecord(
  request: FastifyRequest,
  reply: FastifyReply,
  record: { readonly version: number },
): unknown {
  const etag = etagOf(record)
  void reply.header('etag', etag)
  return hasAlready(request, etag) ? reply.code(304).send() : record
}
