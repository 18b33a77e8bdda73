// /v1/tenant/webhooks/{id}/deliveries and what sends again: what was told to whom, and what came of it.
import { errors } from '../errors.ts'
import { listDeliveries, readAttempts, readDelivery } from '../webhooks/deliveries.ts'
import type { Endpoint } from '../webhooks/endpoints.ts'
import { addTest, replayDelivery, replayRange } from '../webhooks/replay.ts'
import type { Instance } from './create-instance.ts'
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
  type DeliveryQuery,
  deliveryParams,
  deliveryQuery,
  deliveryShape,
  deliveryWithLog,
  type ReplayBody,
  replayBody,
  replayShape,
} from './webhook-schemas.ts'

function mustBeEnabled({ id, state, disabledReason = 'by-hand' }: Endpoint): void {
  if (state === 'disabled') throw errors.webhookDisabled({ webhook: id, reason: disabledReason })
}

/** @throws VALIDATION_FAILED naming the end of the range that is missing or wrong */
function checkRange({ from, to, after, until }: ReplayBody): void {
  const refuse = (field: string, message: string) =>
    errors.validation({ errors: [{ field, code: 'INVALID', message }] })
  if (from === undefined && after === undefined)
    throw refuse('from', 'must say where to begin; or say it by position, with `after`.')
  if (from !== undefined && to !== undefined && new Date(from) >= new Date(to))
    throw refuse('to', 'must be later than `from`.')
  if (after !== undefined && until !== undefined && BigInt(after) >= BigInt(until))
    throw refuse('until', 'must be behind `after`.')
}

const acceptedAnswer = (body: object): Answer => ({ status: 202, body })

export function webhookDeliveryRoutes(app: Instance, ladder: Ladder, parts: WebhookRouteParts): void {
  const { runControl, attempts, wake } = parts
  const common = { tags: ['Webhooks'], headers: tenantHeader }
  const url = `${webhooksUrl}/:id/deliveries`
  const accepted = { 202: deliveryShape, ...problemResponses }
  const deliveryOf = (params: unknown): string => (params as { delivery: string }).delivery

  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: 'Deliveries of a webhook, the newest first',
      params: idParams,
      querystring: deliveryQuery,
      response: { 200: listOf(deliveryShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      mayManageWebhooks(stage)
      const { limit, cursor, state } = request.query as DeliveryQuery
      return runControl(async (tx) => {
        const { id } = await foundWebhook(tx, stage, request)
        const page = { limit: Number(limit ?? 50), cursor, state }
        return listDeliveries(tx, { tenant: stage.tenant.id, endpoint: id }, page)
      })
    }),
  })
  app.route({
    method: 'GET',
    url: `${url}/:delivery`,
    schema: {
      ...common,
      summary: 'One delivery with its attempts',
      params: deliveryParams,
      response: { 200: deliveryWithLog, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      mayManageWebhooks(stage)
      const id = deliveryOf(request.params)
      return runControl(async (tx) => {
        const of = { tenant: stage.tenant.id, endpoint: (await foundWebhook(tx, stage, request)).id }
        const delivery = await readDelivery(tx, of, id)
        if (!delivery) throw errors.recordNotFound({ entity: 'delivery', id })
        return { ...delivery, log: await readAttempts(tx, of, id) }
      })
    }),
  })
  app.route({
    method: 'POST',
    url: `${url}/:delivery/replay`,
    schema: {
      ...common,
      summary: 'Send one again, with the same webhook-id',
      params: deliveryParams,
      response: accepted,
    },
    ...keepingAnswer(ladder.located, runControl, async (stage, request, keep) => {
      mayManageWebhooks(stage)
      const delivery = deliveryOf(request.params)
      const of = { tenant: stage.tenant.id, endpoint: '', attempts }
      const sent = await keep(
        (run) =>
          run(async (tx) => {
            const endpoint = await foundWebhook(tx, stage, request)
            mustBeEnabled(endpoint)
            of.endpoint = endpoint.id
            await replayDelivery(tx, of, delivery)
            await tx.audit({ ...webhookAudit(stage, endpoint.id), action: 'replayed', after: { delivery } })
            return readDelivery(tx, of, delivery)
          }),
        acceptedAnswer,
      )
      wake(of.tenant, of.endpoint)
      return sent
    }),
  })
  app.route({
    method: 'POST',
    url: `${webhooksUrl}/:id/replay`,
    schema: {
      ...common,
      summary: 'Send again what happened in a time or between two positions, 10,000 events at a time',
      params: idParams,
      body: replayBody,
      response: { 202: replayShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, async (stage, request, keep) => {
      mayManageWebhooks(stage)
      const { delivered = false, ...range } = request.body as ReplayBody
      checkRange(range)
      let id = ''
      const sent = await keep(
        (run) =>
          run(async (tx) => {
            const endpoint = await foundWebhook(tx, stage, request)
            mustBeEnabled(endpoint)
            id = endpoint.id
            const told = await replayRange(tx, stage, endpoint, { ...range, delivered }, attempts)
            const after = { ...range, delivered, replayed: told.replayed }
            await tx.audit({ ...webhookAudit(stage, id), action: 'replayed', after })
            return told
          }),
        acceptedAnswer,
      )
      wake(stage.tenant.id, id)
      return sent
    }),
  })
  app.route({
    method: 'POST',
    url: `${webhooksUrl}/:id/test`,
    schema: {
      ...common,
      summary: 'Send an event of the type webhook.test, once, also to a webhook that is disabled',
      params: idParams,
      response: accepted,
    },
    ...keepingAnswer(ladder.located, runControl, async (stage, request, keep) => {
      mayManageWebhooks(stage)
      const of = { tenant: stage.tenant.id, endpoint: '' }
      const sent = await keep(
        (run) =>
          run(async (tx) => {
            const endpoint = await foundWebhook(tx, stage, request)
            of.endpoint = endpoint.id
            const id = await addTest(tx, stage, endpoint.id)
            await tx.audit({ ...webhookAudit(stage, endpoint.id), action: 'tested', after: { delivery: id } })
            return readDelivery(tx, of, id)
          }),
        acceptedAnswer,
      )
      wake(of.tenant, of.endpoint)
      return sent
    }),
  })
}
