// Shapes of webhooks and their deliveries.
import Type, { type Static } from 'typebox'
import { deliveryStates } from '../webhooks/deliveries.ts'
import { disabledReasons } from '../webhooks/endpoints.ts'
import { eventFilterPattern } from '../webhooks/event-filter.ts'
import { pageQuery } from './schemas.ts'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const uuid = Type.String({ format: 'uuid' })
const position = Type.String({ pattern: '^\\d{1,18}$', description: 'An id of GET /v1/events.' })
const deliveryId = Type.String({ pattern: '^[1-9]\\d{0,17}$' })

const url = Type.String({ minLength: 1, maxLength: 2_000, description: 'https, by name.' })
const description = Type.String({ maxLength: 200 })
const events = Type.Array(Type.String({ pattern: eventFilterPattern }), {
  minItems: 1,
  maxItems: 50,
  description: 'oms.order.shipped, oms.order.*, oms.*, or * for all.',
})
const state = Type.Union([Type.Literal('enabled'), Type.Literal('disabled')])

export const newWebhookBody = Type.Object(
  { url, events, description: Type.Optional(description), state: Type.Optional(state) },
  closed,
)
export const webhookBody = Type.Object(
  {
    url: Type.Optional(url),
    events: Type.Optional(events),
    description: Type.Optional(description),
    state: Type.Optional(state),
  },
  { ...closed, minProperties: 1 },
)
export type NewWebhookBody = Static<typeof newWebhookBody>
export type WebhookBody = Static<typeof webhookBody>

const webhook = {
  id: uuid,
  version: Type.Integer(),
  url: Type.String(),
  description: Type.String(),
  events: Type.Array(Type.String()),
  state,
  disabledReason: Type.Optional(
    Type.Union(
      disabledReasons.map((one) => Type.Literal(one)),
      {
        description: 'failing: nothing arrived for days. gone: the receiver answered 410.',
      },
    ),
  ),
  disabledAt: Type.Optional(timestamp),
  failingSince: Type.Optional(timestamp),
  oldSecretUntil: Type.Optional(
    Type.String({ format: 'date-time', description: 'Until then the secret before this one signs too.' }),
  ),
  createdAt: timestamp,
  createdBy: Type.String(),
  updatedAt: timestamp,
  updatedBy: Type.String(),
}
export const webhookShape = Type.Object(webhook)
export const webhookWithSecret = Type.Object({
  ...webhook,
  secret: Type.String({ description: 'What the receiver verifies with. It is shown this once.' }),
})

const cursorOf = (shape: Type.TString) => Type.Optional(shape)
export const webhookQuery = Type.Object({ ...pageQuery.properties, cursor: cursorOf(uuid) }, closed)
export type WebhookQuery = Static<typeof webhookQuery>

const deliveryState = Type.Union(deliveryStates.map((one) => Type.Literal(one)))
export const deliveryQuery = Type.Object(
  { ...pageQuery.properties, cursor: cursorOf(deliveryId), state: Type.Optional(deliveryState) },
  closed,
)
export type DeliveryQuery = Static<typeof deliveryQuery>

export const deliveryParams = Type.Object({ id: uuid, delivery: deliveryId })

const delivery = {
  id: Type.String(),
  webhookId: Type.String({ description: 'The header webhook-id: the same in each attempt and each replay.' }),
  type: Type.String(),
  state: deliveryState,
  attempts: Type.Integer({ description: 'As far as they are kept.' }),
  createdAt: timestamp,
  nextAt: Type.Optional(timestamp),
  endedAt: Type.Optional(timestamp),
  error: Type.Optional(Type.String()),
}
export const deliveryShape = Type.Object(delivery)
export const deliveryWithLog = Type.Object({
  ...delivery,
  log: Type.Array(
    Type.Object({
      at: timestamp,
      durationMs: Type.Integer(),
      delivered: Type.Boolean(),
      status: Type.Optional(Type.Integer()),
      error: Type.Optional(Type.String()),
      response: Type.Optional(Type.String({ description: 'How the body of the answer begins.' })),
    }),
  ),
})

export const replayBody = Type.Object(
  {
    from: Type.Optional(timestamp),
    to: Type.Optional(timestamp),
    after: Type.Optional(position),
    until: Type.Optional(position),
    events: Type.Optional(events),
    delivered: Type.Optional(Type.Boolean({ description: 'Also what has arrived. false when left out.' })),
  },
  { ...closed, minProperties: 1 },
)
export type ReplayBody = Static<typeof replayBody>
export const replayShape = Type.Object({
  replayed: Type.Integer(),
  next: Type.Optional(Type.String({ description: 'There may be more: ask again with this as `after`.' })),
})
