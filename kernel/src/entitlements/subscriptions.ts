// Which modules act on which events, as the database says: a process in which a module could not be loaded dispatches for
// the others too, and must not leave it out.
import type pg from 'pg'
import type { ChangeFeed } from '../data/change-feed.ts'
import type { ControlTransaction } from '../tenants/control-transaction.ts'

export interface Subscription {
  /** Full name: `oms.order.shipped`. */
  readonly event: string
  readonly module: string
  /** What becomes of what the module missed while a tenant had it switched off. */
  readonly whileDisabled: 'deliver' | 'skip'
}

interface Row {
  module: string
  on: unknown
}

/** Of every version that somebody is to get: which of them a tenant gets is decided when the task is done. */
const selectOn = `
  SELECT p.module, v.manifest->'on' AS on
    FROM kernel.plugin p
    JOIN kernel.plugin_version v ON v.module = p.module
     AND (v.version IN (p.stable, p.beta, p.candidate)
          OR v.version IN (SELECT m.pinned FROM kernel.tenant_module m WHERE m.module = p.module AND m.pinned IS NOT NULL))
   WHERE p.state IN ('active', 'held', 'disabled')
   ORDER BY p.module, v.version = p.stable`

/** The stable version's word is the last. */
export async function readSubscriptions(tx: Pick<ControlTransaction, 'query'>): Promise<Subscription[]> {
  const rows = await tx.query<Row>(selectOn, [])
  const found = new Map<string, Subscription>()
  for (const { module, on } of rows) {
    for (const [event, whileDisabled] of listened(on)) {
      found.set(`${module} ${event}`, { event, module, whileDisabled })
    }
  }
  return [...found.values()]
}

function listened(on: unknown): [string, Subscription['whileDisabled']][] {
  if (typeof on !== 'object' || on === null) return []
  return Object.entries(on).map(([event, { whileDisabled }]) => [
    event,
    whileDisabled === 'skip' ? 'skip' : 'deliver',
  ])
}

/** Kept in memory while the feed says what changes. */
export function keptSubscriptions(
  feed: Pick<ChangeFeed, 'onChange' | 'isLive'>,
): (client: Pick<pg.ClientBase, 'query'>) => Promise<readonly Subscription[]> {
  let known: readonly Subscription[] | undefined
  let changes = 0
  feed.onChange(({ kind }) => {
    // A tenant may have pinned a version that nobody else has.
    if (kind !== 'plugins' && kind !== 'all' && kind !== 'tenant') return
    known = undefined
    changes += 1
  })
  return async (client) => {
    if (known) return known
    const before = changes
    const read = await readSubscriptions({ query: async (text) => (await client.query(text)).rows })
    if (feed.isLive() && before === changes) known = read
    return read
  }
}
