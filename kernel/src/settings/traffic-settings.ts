// How much traffic the kernel lets in.
import { integer, setting } from './setting.ts'

export const trafficSettings = {
  tenantRequests: setting(
    'PLINTH_TENANT_REQUESTS',
    '4',
    "Most requests of one tenant that one kernel process works on at once; others wait in turns. What enters a plugin has the plugin's own places.",
    integer(4, 1, 1_000),
  ),
  requestsAtOnce: setting(
    'PLINTH_REQUESTS_AT_ONCE',
    '64',
    'The same of all tenants together.',
    integer(64, 1, 10_000),
  ),
}
