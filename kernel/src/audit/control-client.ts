// One transaction on the kernel login that no request waits for: sealing, purging, verifying.
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import type { AuditClient } from './read-in-batches.ts'

/** Longer than a request may take. The first FETCH of a cursor sorts all that it will give. */
const statementMs = 60_000

export async function inTransaction<T>(
  pool: pg.Pool,
  begin: 'BEGIN' | 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
  work: (client: AuditClient) => Promise<T>,
): Promise<T> {
  const client = await fromDatabase(() => pool.connect())
  let broken = true
  try {
    await client.query(`${begin}; SET LOCAL statement_timeout = ${statementMs}`)
    const result = await work(client)
    await client.query('COMMIT')
    broken = false
    return result
  } finally {
    // What failed half-way is rolled back with its connection.
    client.release(broken)
  }
}
