// ETags are record versions: "3". If-Match guards a change, If-None-Match saves a transfer.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'

export const etagOf = (record: { readonly version: number }): string => `"${record.version}"`

/** The version a change may be made to; undefined without the header or with `*`. */
export function ifMatchVersion(request: FastifyRequest): number | undefined {
  const header = request.headers['if-match']
  if (header === undefined || header === '*') return undefined
  const version = /^"(\d{1,9})"$/.exec(header)?.[1]
  if (version === undefined) {
    const message = 'must be the ETag of the record, such as "3", or *'
    throw errors.validation({ errors: [{ field: 'If-Match', code: 'INVALID', message }] })
  }
  return Number(version)
}

/** Answers with a record and its ETag; with nothing when the client has this version already. */
export function sendRecord(
  request: FastifyRequest,
  reply: FastifyReply,
  record: { readonly version: number },
): unknown {
  const etag = etagOf(record)
  void reply.header('etag', etag)
  if (request.method === 'GET' && request.headers['if-none-match'] === etag) return reply.code(304).send()
  return record
}
