// Waits until requests stand before locks in the database: then, and not after a guessed time, the test goes on.
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

const deadlineMs = 20_000
const pollMs = 10

/** How many wait for a lock in this database. @throws when they are not `least` in time */
export async function someoneWaitsForALock(admin: pg.Client, least = 1): Promise<number> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const { rowCount } = await admin.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (rowCount !== null && rowCount >= least) return rowCount
    if (Date.now() > deadline) throw new Error(`${rowCount} wait for a lock, not ${least}`)
    await sleep(pollMs)
  }
}
