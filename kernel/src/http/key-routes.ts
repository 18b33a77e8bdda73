// API keys: of a service account under /v1/tenant/service-accounts/{id}/keys, a person's own in one tenant under
// /v1/me/keys.
import type { FastifyRequest } from 'fastify'
import {
  createKey,
  type KeyOwner,
  listKeys,
  type NewApiKey,
  revokeKey,
  rotateKey,
} from '../identity/manage-keys.ts'
import { requirePerson, requireUncut } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { mayMakeCredentials, mayManageAccounts } from '../tenants/service-accounts.ts'
import type { Instance } from './create-instance.ts'
import { type Answer, keepingAnswer } from './keeping-answer.ts'
import {
  keyShape,
  type NewKeyBody,
  newKeyBody,
  newKeyShape,
  type RotateKeyBody,
  rotateKeyBody,
} from './key-schemas.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, type PageQuery, pageQuery, problemResponses, tenantHeader } from './schemas.ts'

export function keyRoutes(app: Instance, ladder: Ladder, runControl: RunControl): void {
  routesFor(app, ladder, runControl, {
    url: '/v1/tenant/service-accounts/:id/keys',
    whose: 'of a service account',
    ownerOf(stage, request, isMaking) {
      if (isMaking) mayMakeCredentials(stage)
      else mayManageAccounts(stage)
      return { id: (request.params as { id: string }).id.toLowerCase(), isService: true }
    },
  })
  routesFor(app, ladder, runControl, {
    url: '/v1/me/keys',
    whose: 'of your own, for this tenant',
    ownerOf(stage) {
      requireUncut(stage)
      // A key that could make keys would outlive its revocation.
      requirePerson(stage)
      return { id: stage.actor.id, isService: false }
    },
  })
}

/** Kept is that it was made: who never saw the key finds it in the list, revokes it and makes another. */
const shownOnce = (body: NewApiKey): Answer => ({ status: 201, body, isSecret: true })

interface Kind {
  readonly url: string
  readonly whose: string
  /** @throws FORBIDDEN, SCOPE_REQUIRED, PERSON_REQUIRED */
  ownerOf(stage: Located, request: FastifyRequest, isMaking: boolean): KeyOwner
}

function routesFor(
  app: Instance,
  ladder: Ladder,
  runControl: RunControl,
  { url, whose, ownerOf }: Kind,
): void {
  const common = { tags: ['Keys'], headers: tenantHeader }
  const keyOf = (request: FastifyRequest) => (request.params as { key: string }).key

  app.route({
    method: 'POST',
    url,
    schema: {
      ...common,
      summary: `Make a key ${whose}; it is shown once`,
      body: newKeyBody,
      response: { 201: newKeyShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      const owner = ownerOf(stage, request, true)
      return keep((run) => createKey(run, stage, owner, request.body as NewKeyBody), shownOnce)
    }),
  })
  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: `Keys ${whose}, also those that have ended`,
      querystring: pageQuery,
      response: { 200: listOf(keyShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      const { limit, cursor } = request.query as PageQuery
      return listKeys(runControl, stage, ownerOf(stage, request, false), {
        limit: Number(limit ?? 50),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
  app.route({
    method: 'POST',
    url: `${url}/:key/rotate`,
    schema: {
      ...common,
      summary: `Replace a key ${whose}; the old one works on for a while`,
      body: rotateKeyBody,
      response: { 201: newKeyShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      const wish = request.body as RotateKeyBody
      const owner = ownerOf(stage, request, true)
      return keep((run) => rotateKey(run, stage, owner, keyOf(request), wish), shownOnce)
    }),
  })
  app.route({
    method: 'DELETE',
    url: `${url}/:key`,
    schema: {
      ...common,
      summary: `Revoke a key ${whose}: it stops at once`,
      response: { 204: { description: 'Revoked.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      await revokeKey(runControl, stage, ownerOf(stage, request, false), keyOf(request))
      return reply.code(204).send()
    }),
  })
}
