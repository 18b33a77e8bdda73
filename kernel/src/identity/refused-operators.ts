// Tokens that were shown to the operator's API and are not the operator's, in the audit trail of the installation: somebody
// tries. So that he cannot fill it, a network has one row in a minute and all of them together ten; the next row says how
// many attempts had none.
import { LRUCache } from 'lru-cache'
import type { Logger } from 'pino'
import { aboveTenants, auditedBy } from '../audit/write-audit.ts'
import type { Arrival } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { networkOf } from './networks.ts'

const rowsInAMinute = 10
const mostNetworks = 1_000
const minuteMs = 60_000

/** Returns at once: who is refused does not wait for the row, and learns nothing from how long it takes. */
export type RecordRefusal = (arrival: Arrival) => void

export function createRecordRefusal(runControl: RunControl, log: Logger): RecordRefusal {
  const networks = new LRUCache<string, true>({ max: mostNetworks, ttl: minuteMs })
  let minute = 0
  let rows = 0
  let unrecorded = 0

  return (arrival) => {
    const now = Math.floor(Date.now() / minuteMs)
    if (now !== minute) {
      minute = now
      rows = 0
    }
    const network = networkOf(arrival.address)
    if (rows >= rowsInAMinute || networks.has(network)) {
      unrecorded += 1
      return
    }
    rows += 1
    networks.set(network, true)
    const after = { unrecordedBefore: unrecorded }
    unrecorded = 0
    log.warn(
      { address: arrival.address, requestId: arrival.requestId },
      "a token that is not the operator's was refused",
    )
    void runControl((tx) =>
      tx.audit({
        ...auditedBy({ ...arrival, actor: { id: 'nobody' } }),
        tenantId: aboveTenants,
        entity: 'operatorToken',
        recordId: 'operator',
        action: 'refused',
        after,
      }),
    ).catch((error: unknown) => log.error({ err: error }, 'a refused operator token could not be recorded'))
  }
}
