// The two stores that turns can lie in: the schema `bullmq` of the database, and Redis.
import { createPostgresBackend, createRedisBackend } from 'bullmq'
import { Redis } from 'ioredis'
import pg from 'pg'
import type { Logger } from 'pino'
import type { TurnBackend } from './turn-store.ts'

/** Beside those that listen, one for each queue that is worked at. */
const working = 4
const mostListening = 60
const connectDeadlineMs = 5_000

export function postgresTurns(connection: pg.ClientConfig, log: Logger): TurnBackend {
  const pool = new pg.Pool({
    ...connection,
    max: working + mostListening,
    keepAlive: true,
    connectionTimeoutMillis: connectDeadlineMs,
    application_name: 'plinth-queue',
    options: '-c search_path=bullmq',
  })
  // BullMQ listens once for each queue.
  pool.setMaxListeners(0)
  // The pool takes its own listener off a connection while BullMQ has it.
  pool.on('connect', (client) =>
    client.on('error', (error) => log.warn({ err: error }, 'a connection of the queue broke')),
  )
  pool.on('error', (error) => log.warn({ err: error }, 'an idle connection of the queue broke'))
  return {
    name: 'postgresql',
    factory: createPostgresBackend as never,
    connection: () => pool,
    close: () => pool.end(),
  }
}

/** `installation` keeps the turns of several installations on one Redis apart. */
export function redisTurns(url: string, installation: string, log: Logger): TurnBackend {
  const open = (maxRetriesPerRequest: number | null) => {
    const redis = new Redis(url, { maxRetriesPerRequest, connectTimeout: 5_000 })
    redis.on('error', (error) => log.warn({ err: error }, 'Redis does not answer; the queue waits for it'))
    return redis
  }
  // Who adds hears of a failure at once: the sweeper adds it again. A worker waits for as long as it takes.
  const adding = open(1)
  const working = open(null)
  return {
    name: 'redis',
    factory: createRedisBackend as never,
    connection: (of) => (of === 'queue' ? adding : working),
    prefix: `plinth-${installation}`,
    close: async () => {
      await Promise.all([adding, working].map((redis) => redis.quit().catch(() => redis.disconnect())))
    },
  }
}
