// A transaction of the control plane: one connection of the kernel login, lent to a callback, with the audit
// rows and the announcements that belong to the change. Resolves after every kernel process has acted on it.
import type pg from 'pg'
import { type ControlAudit, writeAudit } from '../audit/write-audit.ts'
import type { Change, ChangeFeed } from '../data/change-feed.ts'
import { fromDatabase, uncertainCommit } from '../data/database-failure.ts'
import {
  type CurrentRequest,
  claimLockMs,
  type KeptAnswer,
  type WriteClaim,
} from '../data/idempotent-request.ts'
import { isPlinthError } from '../errors.ts'

export type { ControlAudit }

export interface ControlTransaction {
  query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]>
  audit(entry: ControlAudit): Promise<void>
  announce(change: Change): Promise<void>
  /** What the request will be answered with, kept with the change for when it is sent again with its Idempotency-Key. */
  keep(answer: () => KeptAnswer): Promise<void>
}

export type RunControl = <T>(work: (tx: ControlTransaction) => Promise<T>) => Promise<T>

async function commit(query: (text: string) => Promise<unknown>): Promise<void> {
  try {
    await query('COMMIT')
  } catch (error) {
    throw uncertainCommit(error)
  }
}

export function controlTransactions(pool: pg.Pool, feed: ChangeFeed, current?: CurrentRequest): RunControl {
  return async (work) => {
    const request = current?.getStore()
    const isFirst = request?.mayClaim() === true
    const client = await fromDatabase(() => pool.connect())
    const query = (text: string, values: readonly unknown[] = []) =>
      fromDatabase(() => client.query(text, [...values]))
    const announcements: string[] = []
    let broken = false
    let result: Awaited<ReturnType<typeof work>>
    try {
      await query('BEGIN')
      const write: WriteClaim = async ({ text, values }) => (await query(text, values)).rowCount ?? 0
      if (isFirst) {
        await query(`SET LOCAL lock_timeout = ${claimLockMs}`)
        await request.claim(write)
        await query('SET LOCAL lock_timeout TO DEFAULT')
      }
      result = await work({
        query: async (text, values) => (await query(text, values)).rows,
        audit: (entry) => writeAudit(client, entry),
        async announce(change) {
          announcements.push(await fromDatabase(() => feed.announce(client, change)))
        },
        keep: async (answer) => (isFirst ? request.keep(answer(), write) : undefined),
      })
      await commit(query)
      if (isFirst) request.settle(true)
    } catch (error) {
      if (!isPlinthError(error)) broken = true
      await client.query('ROLLBACK').catch(() => {
        broken = true
      })
      if (isFirst) request.settle(false)
      throw error
    } finally {
      client.release(broken)
    }
    await Promise.all(announcements.map((announcement) => feed.settled(announcement)))
    return result
  }
}
