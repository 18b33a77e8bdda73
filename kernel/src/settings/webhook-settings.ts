// Webhooks: how long a receiver has, and for how long it is tried.
import { integer, setting } from './setting.ts'

const usualDelays = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
const longestDelay = 7 * 86_400
const mostDelays = 20

function delays(text: string | undefined): readonly number[] {
  if (text === undefined) return usualDelays
  const seconds = text.split(',').map((one) => Number(one.trim() || Number.NaN))
  const isGood = seconds.every((one) => Number.isInteger(one) && one >= 1 && one <= longestDelay)
  if (!isGood || seconds.length > mostDelays)
    throw new Error(
      `must be up to ${mostDelays} whole numbers from 1 to ${longestDelay}, with commas between them, not '${text}'`,
    )
  return seconds
}

export const webhookSettings = {
  webhookTimeoutMs: setting(
    'PLINTH_WEBHOOK_TIMEOUT_MS',
    '15000',
    'How long the receiver of a webhook has for its answer.',
    integer(15_000, 1_000, 25_000),
  ),
  webhookDelays: setting(
    'PLINTH_WEBHOOK_DELAYS',
    usualDelays.join(','),
    'Seconds between the attempts of a delivery: after the first one, after the second one, and so on. Then it has failed.',
    delays,
  ),
  webhookDisableDays: setting(
    'PLINTH_WEBHOOK_DISABLE_DAYS',
    '5',
    'A webhook is switched off when nothing arrived for so many days. 0: never.',
    integer(5, 0, 365),
  ),
  webhookLogDays: setting(
    'PLINTH_WEBHOOK_LOG_DAYS',
    '30',
    'For how many days the attempts of deliveries are kept.',
    integer(30, 1, 3_650),
  ),
}
