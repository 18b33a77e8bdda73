// Waits until a request stands before a lock in the database: then, and not after a guessed time, the test goes on.
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

const deadlineMs = 20_000
const pollMs = 10

/** @throws when nobody waits for a lock in time */
export async function someoneWaitsForALock(admin: pg.Client): Promise<void> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const { rowCount } = await admin.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    if (rowCount) return
    if (Date.now() > deadline) throw new Error('nobody waits for a lock')
    await sleep(pollMs)
  }
}
