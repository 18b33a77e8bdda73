// An answer as a value: what is sent, and what is kept for a request that is sent again.
import type { FastifyReply } from 'fastify'
import type { KeptAnswer } from '../data/idempotent-request.ts'
import { etagOf } from './etag.ts'

const json = { 'content-type': 'application/json; charset=utf-8' }

/** `body` is the text of the JSON. */
export const jsonTextAnswer = (
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): KeptAnswer => ({ status, headers: { ...json, ...headers }, body })

export const recordAnswer = (
  status: number,
  record: { readonly version: number },
  location?: string,
): KeptAnswer =>
  jsonTextAnswer(status, JSON.stringify(record), {
    etag: etagOf(record),
    ...(location === undefined ? {} : { location }),
  })

export function sendAnswer(reply: FastifyReply, { status, headers, body }: KeptAnswer): FastifyReply {
  return reply.code(status).headers(headers).serializer(String).send(body)
}
