// /v1/tenant/webhooks: where the tenant wants to be told of its events, and the secrets that it verifies with.
import type { FastifyReply } from 'fastify'
import { errors, type FieldError } from '../errors.ts'
import { checkEndpointUrl } from '../webhooks/endpoint-url.ts'
import {
  addEndpoint,
  changeEndpoint,
  type Endpoint,
  type EndpointValues,
  listEndpoints,
  removeEndpoint,
  replaceKey,
  skipWaiting,
} from '../webhooks/endpoints.ts'
import { newKey, sealKey } from '../webhooks/signature.ts'
import type { Instance } from './create-instance.ts'
import { etagOf } from './etag.ts'
import { type Answer, keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { idParams } from './record-schemas.ts'
import { listOf, problemResponses, tenantHeader } from './schemas.ts'
import {
  foundWebhook,
  mayManageWebhooks,
  type WebhookRouteParts,
  webhookAudit,
  webhooksUrl,
} from './webhook-parts.ts'
import {
  type NewWebhookBody,
  newWebhookBody,
  type WebhookBody,
  type WebhookQuery,
  webhookBody,
  webhookQuery,
  webhookShape,
  webhookWithSecret,
} from './webhook-schemas.ts'

/** Of one tenant: each is asked about at each event. */
const mostEndpoints = 50

/** Which of the filters can never be met, most likely for a letter. @throws VALIDATION_FAILED */
function checkEvents(eventsOf: WebhookRouteParts['eventsOf'], filters: readonly string[]): void {
  const wrong = filters.flatMap((filter, at): FieldError[] => {
    if (filter === '*') return []
    const [module = '', ...rest] = filter.split('.')
    const name = rest.join('.')
    const declared = eventsOf(module)
    const field = `events.${at}`
    if (!declared)
      return [
        { field, code: 'UNKNOWN_EVENT', message: `There is no module '${module}' in this installation.` },
      ]
    const isThere =
      name === '*' ||
      declared.some((one) => (name.endsWith('.*') ? one.startsWith(name.slice(0, -1)) : one === name))
    const message = `Module '${module}' tells of ${declared.join(', ') || 'nothing'}.`
    return isThere ? [] : [{ field, code: 'UNKNOWN_EVENT', message }]
  })
  if (wrong.length > 0) throw errors.validation({ errors: wrong })
}

/** Without 304: how an endpoint is doing changes without a new version of it. */
const send = (reply: FastifyReply, endpoint: Endpoint) =>
  reply.header('etag', etagOf(endpoint)).send(endpoint)

const withSecret = (endpoint: Endpoint, secret: string): Answer => ({
  body: { ...endpoint, secret },
  etag: etagOf(endpoint),
  isSecret: true,
})

export function webhookRoutes(app: Instance, ladder: Ladder, parts: WebhookRouteParts): void {
  const { runControl, seal, plainHosts, eventsOf, wake } = parts
  const common = { tags: ['Webhooks'], headers: tenantHeader }
  const one = { ...common, params: idParams }
  const changed = (endpoint: Endpoint | undefined): Endpoint => {
    if (!endpoint) throw errors.internal({}, new Error('a locked endpoint went away'))
    return endpoint
  }

  app.route({
    method: 'GET',
    url: webhooksUrl,
    schema: {
      ...common,
      summary: 'The webhooks of the tenant, by age',
      querystring: webhookQuery,
      response: { 200: listOf(webhookShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      mayManageWebhooks(stage)
      const { limit, cursor } = request.query as WebhookQuery
      return runControl((tx) => listEndpoints(tx, stage.tenant.id, { limit: Number(limit ?? 50), cursor }))
    }),
  })
  app.route({
    method: 'GET',
    url: `${webhooksUrl}/:id`,
    schema: { ...one, summary: 'One webhook', response: { 200: webhookShape, ...problemResponses } },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayManageWebhooks(stage)
      return send(reply, await runControl((tx) => foundWebhook(tx, stage, request)))
    }),
  })
  app.route({
    method: 'POST',
    url: webhooksUrl,
    schema: {
      ...common,
      summary: 'Add a webhook: it is told of all events that its filters name, whoever may read them',
      body: newWebhookBody,
      response: { 201: webhookWithSecret, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, async (stage, request, keep) => {
      mayManageWebhooks(stage)
      const { description = '', state = 'enabled', ...body } = request.body as NewWebhookBody
      checkEndpointUrl(body.url, plainHosts)
      checkEvents(eventsOf, body.events)
      const secret = newKey()
      const by = { tenant: stage.tenant.id, actor: stage.actor.id, most: mostEndpoints }
      return keep(
        (run) =>
          run(async (tx) => {
            const values: EndpointValues = { ...body, description, state }
            const added = await addEndpoint(tx, by, values, (id) => sealKey(seal, by.tenant, id, secret))
            if (!added) throw errors.tooMany({ what: 'webhooks', most: mostEndpoints })
            await tx.audit({ ...webhookAudit(stage, added.id), action: 'created', after: added })
            return added
          }),
        (endpoint: Endpoint) => ({
          ...withSecret(endpoint, secret),
          status: 201,
          location: `${webhooksUrl}/${endpoint.id}`,
        }),
      )
    }),
  })
  app.route({
    method: 'PATCH',
    url: `${webhooksUrl}/:id`,
    schema: {
      ...one,
      summary: 'Change a webhook. What waits for one that is disabled is not sent; it can be replayed.',
      body: webhookBody,
      response: { 200: webhookShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayManageWebhooks(stage)
      const body = request.body as WebhookBody
      if (body.url !== undefined) checkEndpointUrl(body.url, plainHosts)
      if (body.events) checkEvents(eventsOf, body.events)
      const by = { tenant: stage.tenant.id, actor: stage.actor.id }
      const endpoint = await runControl(async (tx) => {
        const before = await foundWebhook(tx, stage, request)
        const after = changed(await changeEndpoint(tx, by, before.id, { ...before, ...body }))
        if (after.state === 'disabled') await skipWaiting(tx, by.tenant, before.id)
        await tx.audit({ ...webhookAudit(stage, before.id), action: 'changed', before, after })
        return after
      })
      return send(reply, endpoint)
    }),
  })
  app.route({
    method: 'DELETE',
    url: `${webhooksUrl}/:id`,
    schema: {
      ...one,
      summary: 'Delete a webhook, its deliveries and their log',
      response: { 204: { description: 'Deleted.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayManageWebhooks(stage)
      await runControl(async (tx) => {
        const before = await foundWebhook(tx, stage, request)
        await removeEndpoint(tx, stage.tenant.id, before.id)
        await tx.audit({ ...webhookAudit(stage, before.id), action: 'deleted', before })
      })
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'POST',
    url: `${webhooksUrl}/:id/rotate-secret`,
    schema: {
      ...one,
      summary: 'A new secret; the one before it signs too for 24 hours',
      response: { 200: webhookWithSecret, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, async (stage, request, keep) => {
      mayManageWebhooks(stage)
      const secret = newKey()
      const by = { tenant: stage.tenant.id, actor: stage.actor.id }
      return keep(
        (run) =>
          run(async (tx) => {
            const { id } = await foundWebhook(tx, stage, request)
            const after = changed(await replaceKey(tx, by, id, sealKey(seal, by.tenant, id, secret)))
            await tx.audit({ ...webhookAudit(stage, id), action: 'secretRotated' })
            return after
          }),
        (endpoint: Endpoint) => withSecret(endpoint, secret),
      )
    }),
  })
  app.route({
    method: 'POST',
    url: `${webhooksUrl}/:id/enable`,
    schema: {
      ...one,
      summary: 'Enable a webhook, and forget what failed. What it missed can be replayed.',
      response: { 200: webhookShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, async (stage, request, keep) => {
      mayManageWebhooks(stage)
      const by = { tenant: stage.tenant.id, actor: stage.actor.id }
      let id = ''
      const sent = await keep(
        (run) =>
          run(async (tx) => {
            const before = await foundWebhook(tx, stage, request)
            id = before.id
            if (before.state === 'enabled') return before
            const after = changed(await changeEndpoint(tx, by, before.id, { ...before, state: 'enabled' }))
            await tx.audit({ ...webhookAudit(stage, before.id), action: 'enabled', before, after })
            return after
          }),
        (endpoint: Endpoint) => ({ body: endpoint, etag: etagOf(endpoint) }),
      )
      wake(by.tenant, id)
      return sent
    }),
  })
}
