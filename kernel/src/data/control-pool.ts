// The kernel's own connections: its control tables and those of identity. A database that is not there is an error of ours
// here, for all who read with one statement; who takes a connection translates for himself.
import pg from 'pg'
import type { Logger } from 'pino'
import { fromDatabase } from './database-failure.ts'

const connectDeadlineMs = 5_000

export function openControlPool(connection: pg.PoolConfig, max: number, log: Logger): pg.Pool {
  const pool = new pg.Pool({ ...connection, max, connectionTimeoutMillis: connectDeadlineMs })
  // The pool takes its own listener off a connection while somebody has it.
  pool.on('connect', (client) =>
    client.on('error', (error) => log.warn({ err: error }, 'a control connection broke')),
  )
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle control connection broke'))
  const query: (...args: Parameters<typeof pool.query>) => unknown = pool.query.bind(pool)
  const translated = (...args: Parameters<typeof pool.query>) => fromDatabase(async () => query(...args))
  return Object.assign(pool, { query: translated })
}
