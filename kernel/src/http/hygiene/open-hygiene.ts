// Puts together what every instance does to every request.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { Config } from '../../config.ts'
import type { ChangeFeed } from '../../data/change-feed.ts'
import type { CurrentRequest } from '../../data/idempotent-request.ts'
import type { DefencesOff } from '../../defences.ts'
import { openOriginDirectory } from '../../tenants/tenant-origins.ts'
import { createCors } from './cors.ts'
import type { Hygiene } from './hygiene.ts'
import { createIdempotency } from './idempotency.ts'
import { createKeptAnswers } from './kept-answers.ts'
import { openPressure } from './pressure.ts'
import { countInMemory, countTogether } from './rate-counts.ts'
import { createRateLimits } from './rate-limits.ts'
import { RequestTurns } from './request-turns.ts'

export interface HygieneParts {
  readonly pool: pg.Pool
  readonly feed: ChangeFeed
  readonly currentRequest: CurrentRequest
  readonly log: Logger
}

const ratesOf = (config: Config) => ({
  address: config.rateAddress,
  auth: config.rateAuth,
  tenant: config.rateTenant,
  user: config.rateUser,
  key: config.rateKey,
})

export async function openHygiene(
  config: Config,
  { pool, feed, currentRequest, log }: HygieneParts,
  off: DefencesOff,
): Promise<Hygiene & { close(): Promise<void> }> {
  const kept = createKeptAnswers(pool, log)
  const pressure = await openPressure(config.longestDelayMs)
  const counts = config.rateCounts === 'shared' ? countTogether(pool, log) : countInMemory()
  return {
    current: currentRequest,
    turns: new RequestTurns({ perTenant: config.tenantRequests, inAll: config.requestsAtOnce }, off),
    idempotency: createIdempotency(kept, currentRequest, log, off),
    pressure,
    rates: createRateLimits(counts, ratesOf(config), off),
    cors: createCors(await openOriginDirectory(pool, feed, log), off),
    close: async () => void (await Promise.all([kept.close(), pressure.close(), counts.close()])),
  }
}
