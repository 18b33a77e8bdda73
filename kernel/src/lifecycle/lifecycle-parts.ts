// What the lifecycle works with, and the one way in which it changes what is served: a transaction, announced to every
// kernel process and waited for.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { ChangeFeed } from '../data/change-feed.ts'
import { errors } from '../errors.ts'
import type { AdmittedPlugin } from '../registry/packages/admit-fetched.ts'
import type { FetchedPlugin } from '../registry/packages/fetch-plugin-package.ts'
import type { PluginTables } from '../registry/plugin-load-parts.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import { type PluginRow, readPlugin } from '../registry/plugin-store.ts'

export interface LifecycleParts {
  readonly pool: pg.Pool
  /** Of the kernel login, for the lock that an operation is driven under. */
  readonly connection: pg.ClientConfig
  readonly feed: ChangeFeed
  readonly registry: PluginRegistry
  readonly tables: PluginTables
  readonly fetch: (request: {
    readonly name: string
    readonly version: string
    readonly integrity?: string
    readonly known: ReadonlyMap<string, string>
  }) => Promise<FetchedPlugin>
  readonly admit: (fetched: FetchedPlugin, owners: ReadonlyMap<string, string>) => Promise<AdmittedPlugin>
  readonly log: Logger
}

/** Loading a version starts its host, in every process; a held module first lets those inside finish. */
const settleDeadlineMs = 30_000

/**
 * Changes rows, and resolves when every kernel process serves what they then say. A process that does not say so in time
 * is logged and not waited for, unless what follows would break it.
 * @throws PLUGIN_CHANGE_REFUSED when the change must settle and has not; it is committed all the same.
 */
export async function change<T>(
  { pool, feed, registry }: Pick<LifecycleParts, 'pool' | 'feed' | 'registry'>,
  module: string,
  work: (client: pg.PoolClient) => Promise<T>,
  { mustSettle = false }: { readonly mustSettle?: boolean } = {},
): Promise<T> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw errors.databaseUnavailable({}, cause)
  })
  let announcement: string
  let result: T
  try {
    await client.query('BEGIN')
    result = await work(client)
    announcement = await feed.announce(client, { kind: 'plugins', id: module })
    await client.query('COMMIT')
    client.release()
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    client.release(true)
    throw error
  }
  const isSettled = await feed.settled(announcement, settleDeadlineMs)
  // With the feed down nobody has told this process.
  await registry.sync()
  if (!isSettled && mustSettle) {
    const reason =
      'A kernel process did not say in time that it acts on the change; the log names how many did.'
    throw errors.pluginChange({ module, reason })
  }
  return result
}

/** @throws PLUGIN_NOT_FOUND */
export async function installed({ pool }: Pick<LifecycleParts, 'pool'>, module: string): Promise<PluginRow> {
  const row = await readPlugin(pool, module)
  if (!row || row.state === 'installing') throw errors.pluginNotFound({ module })
  return row
}
