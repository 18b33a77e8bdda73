// The rows of errors.ts on webhooks and the stream of events.
import { defineError } from '../plinth-error.ts'

export const eventErrors = {
  webhookDisabled: defineError<{ webhook: string; reason: string }>(
    'WEBHOOK_DISABLED',
    409,
    'info',
    (d) =>
      `The webhook is disabled (${d.reason}). Enable it first: POST /v1/tenant/webhooks/${d.webhook}/enable.`,
  ),
  deliveryUnderWay: defineError<{ delivery: string }>(
    'DELIVERY_UNDER_WAY',
    409,
    'info',
    () => 'The delivery is being tried at this moment. Look again in a minute.',
  ),
  eventGone: defineError<{ delivery: string }>(
    'EVENT_GONE',
    409,
    'info',
    () => 'The event is older than what is kept, and can no longer be sent.',
  ),
  streamsFull: defineError<{ whose: 'yours' | 'of the tenant' | 'of this process'; most: number }>(
    'STREAMS_FULL',
    429,
    'info',
    (d) => `There are ${d.most} streams ${d.whose} open already. Close one, or share one among your windows.`,
  ),
  streamSlow: defineError<{ seconds: number }>(
    'STREAM_SLOW',
    503,
    'info',
    (d) => `Nothing was read for ${d.seconds} seconds. Connect again with the last id that you got.`,
  ),
}
