// What a worker does with a claimed task of kind 'webhook': one attempt, and what it leaves behind. It settles the task
// itself, for when it is tried again is the endpoint's business; it throws only when the database could not be asked.
import type { Fetcher } from '../outside/fetcher.ts'
import type { Seal } from '../outside/seal.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { DisableParts } from './disable-endpoint.ts'
import { sendWebhook } from './send-webhook.ts'
import { type DeliveryPolicy, endUntried, postpone, settleDelivery } from './settle-delivery.ts'
import { type ClaimedWebhook, messageOf, readSending, type Sending } from './webhook-message.ts'

export interface DeliverParts extends DisableParts {
  readonly runControl: RunControl
  readonly fetcher: Pick<Fetcher, 'fetch'>
  readonly seal: Seal
  readonly policy: DeliveryPolicy & { readonly webhookTimeoutMs: number }
}

/** What came of it: `done`, `failed`, or `skipped` where nothing was sent. */
export type DeliverWebhook = (claimed: ClaimedWebhook) => Promise<string>

/** Undefined when there is something to send. */
function reasonNotToSend({
  isTest,
  state,
  data,
}: Sending): readonly ['dead' | 'skipped', string] | undefined {
  if (state === 'disabled' && !isTest) return ['skipped', 'The webhook is disabled.']
  return data === undefined ? ['dead', 'The event is older than what is kept.'] : undefined
}

export const createDeliverWebhook = (parts: DeliverParts): DeliverWebhook => {
  const { runControl, fetcher, seal, policy } = parts

  /** What is to be sent now, if anything is. */
  const prepared = (claimed: ClaimedWebhook) =>
    runControl(async (tx) => {
      const sending = await readSending(tx, claimed)
      if (sending === undefined) return undefined
      if (sending === 'no endpoint') {
        await endUntried(tx, claimed, 'cancelled', 'The webhook was deleted.')
        return undefined
      }
      const reason = reasonNotToSend(sending)
      if (reason) await endUntried(tx, claimed, ...reason)
      else if (sending.isHeld && sending.heldUntil && !sending.isTest)
        await postpone(tx, claimed, sending.heldUntil)
      else return sending
      return undefined
    })

  return async (claimed) => {
    const sending = await prepared(claimed)
    if (!sending) return 'skipped'
    // No connection is held while the receiver thinks.
    const message = messageOf(seal, claimed, sending)
    const outcome = await sendWebhook(fetcher, sending.url, message, policy.webhookTimeoutMs)
    await runControl((tx) => settleDelivery(parts, tx, claimed, sending, outcome))
    return outcome.delivered ? 'done' : 'failed'
  }
}
