// ETags of SCIM resources: a hash of what is told of them, weak as RFC 7644 has them.
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { errors } from '../errors.ts'
import { hasAlready, parseTags } from './etag.ts'

interface Resource {
  readonly id: string
  readonly meta: { readonly resourceType: string; readonly location: string; readonly version?: string }
}

export function withVersion<R extends Resource>(resource: R) {
  const hash = createHash('sha256').update(JSON.stringify(resource)).digest('base64url').slice(0, 22)
  return { ...resource, meta: { ...resource.meta, version: `W/"${hash}"` } }
}

/** @throws VALIDATION_FAILED for what is no list of tags, SCIM_VERSION_CONFLICT when none is this version's */
export function refuseStale(request: FastifyRequest, resource: Resource): void {
  const header = request.headers['if-match']
  if (header === undefined) return
  const tags = parseTags(header)
  if (tags === undefined) {
    const message = 'must be the version of the resource, a list of such, or *'
    throw errors.validation({ errors: [{ field: 'If-Match', code: 'INVALID', message }] })
  }
  const { version = '' } = resource.meta
  // Compared weakly: SCIM has no other tags.
  if (tags === '*' || tags.some(({ opaque }) => version === `W/${opaque}`)) return
  throw errors.scimVersionConflict({ entity: resource.meta.resourceType.toLowerCase(), id: resource.id })
}

/** Nothing when the client has this version already. */
export function sendVersion(request: FastifyRequest, reply: FastifyReply, resource: Resource): unknown {
  const { version = '' } = resource.meta
  void reply.header('etag', version)
  return hasAlready(request, version.slice(2)) ? reply.code(304).send() : resource
}
