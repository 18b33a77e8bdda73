// How much traffic the kernel lets in.
import { integer, oneOf, setting } from './setting.ts'

const rate = (fallback: number) => integer(fallback, 0, 1_000_000_000)

export const trafficSettings = {
  tenantRequests: setting(
    'PLINTH_TENANT_REQUESTS',
    '4',
    "Most requests of one tenant that one kernel process works on at once while other tenants ask as well (in the last two seconds); others wait in turns. What enters a plugin has the plugin's own places.",
    integer(4, 1, 1_000),
  ),
  requestsAtOnce: setting(
    'PLINTH_REQUESTS_AT_ONCE',
    '64',
    'The same of all tenants together.',
    integer(64, 1, 10_000),
  ),
  longestDelayMs: setting(
    'PLINTH_LONGEST_DELAY_MS',
    '1000',
    'Requests are turned away with 503 while the event loop comes round so late, on average over twice as long, twice in a row. 0: never.',
    integer(1_000, 0, 60_000),
  ),
  rateAddress: setting(
    'PLINTH_RATE_ADDRESS',
    '120000',
    'Most requests in a minute from one address (of IPv6, one /64). 0: any number.',
    rate(120_000),
  ),
  rateAuth: setting('PLINTH_RATE_AUTH', '300', 'The same at `/v1/auth/*`. 0: any number.', rate(300)),
  rateTenant: setting(
    'PLINTH_RATE_TENANT',
    '120000',
    'Most requests in a minute of one tenant, where its plan does not say otherwise. 0: any number.',
    rate(120_000),
  ),
  rateUser: setting(
    'PLINTH_RATE_USER',
    '60000',
    'Most requests in a minute of one person or service account. 0: any number.',
    rate(60_000),
  ),
  rateKey: setting(
    'PLINTH_RATE_KEY',
    '60000',
    'Most requests in a minute with one API key. 0: any number.',
    rate(60_000),
  ),
  rateCounts: setting(
    'PLINTH_RATE_COUNTS',
    'memory',
    'Who counts: `memory` for each kernel process by itself, `shared` for all of them together, through the database, within a second.',
    oneOf('memory', ['memory', 'shared']),
  ),
}
