// The two stores that turns can lie in: the schema `bullmq` of the database, and Redis.
import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresBackend, createRedisBackend } from 'bullmq'
import { Redis, type RedisOptions } from 'ioredis'
import pg from 'pg'
import type { Logger } from 'pino'
import type { TurnBackend } from './turn-store.ts'

/** Beside those that listen, one for each queue that is worked at. */
const working = 4
const connectDeadlineMs = 5_000
/** Of one query, each of which is short: reached only when the server no longer answers at all. */
const queryDeadlineMs = 5_000
/** For connections to end, of a store that may not answer any more. */
const endMs = 1_000

export function postgresTurns(connection: pg.ClientConfig, log: Logger): TurnBackend {
  const pool = new pg.Pool({
    ...connection,
    max: working,
    keepAlive: true,
    connectionTimeoutMillis: connectDeadlineMs,
    query_timeout: queryDeadlineMs,
    application_name: 'plinth-queue',
    options: '-c search_path=bullmq',
  })
  const clients = new Set<pg.PoolClient>()
  // BullMQ listens once for each queue.
  pool.setMaxListeners(0)
  pool.on('connect', (client) => {
    clients.add(client)
    // The pool takes its own listener off a connection while BullMQ has it.
    client.on('error', (error) => log.warn({ err: error }, 'a connection of the queue broke'))
  })
  pool.on('remove', (client) => clients.delete(client))
  pool.on('error', (error) => log.warn({ err: error }, 'an idle connection of the queue broke'))
  return {
    name: 'postgresql',
    factory: createPostgresBackend as never,
    connection: () => pool,
    working(queues) {
      // Each listens on a connection that nobody else gets: with a fixed number, enough modules would leave none to work with.
      pool.options.max = working + queues
    },
    async close() {
      const ended = pool.end()
      await Promise.race([ended, sleep(endMs, undefined, { ref: false })])
      // Those that somebody still has, and waits for an answer on.
      await Promise.race([
        Promise.allSettled([...clients].map((client) => (client as pg.Client).end())),
        sleep(endMs, undefined, { ref: false }),
      ])
    },
  }
}

/** `installation` keeps the turns of several installations on one Redis apart. */
export function redisTurns(url: string, installation: string, log: Logger): TurnBackend {
  const opened = new Set<Redis>()
  let isClosed = false
  /** And those that BullMQ makes of it, which it blocks on. */
  function kept(redis: Redis): Redis {
    const duplicate = redis.duplicate.bind(redis)
    redis.duplicate = (more) => kept(duplicate(more))
    const disconnect = redis.disconnect.bind(redis)
    redis.disconnect = (reconnect) => {
      // Between two attempts there is nothing to end, and it would never say that it has: whoever waits for that, and his
      // timers, would keep the process for ever.
      if (redis.status === 'reconnecting' && reconnect !== true) redis.connect().catch(() => undefined)
      disconnect(reconnect)
    }
    redis.on('connecting', () => {
      opened.add(redis)
      // BullMQ connects a worker anew that waited for the store when everything was ended.
      if (isClosed) redis.disconnect()
    })
    redis.on('end', () => opened.delete(redis))
    return redis
  }
  const open = (of: Pick<RedisOptions, 'maxRetriesPerRequest' | 'commandTimeout'>) => {
    const redis = kept(new Redis(url, { ...of, connectTimeout: connectDeadlineMs }))
    redis.on('error', (error) => log.warn({ err: error }, 'Redis does not answer; the queue waits for it'))
    return redis
  }
  // Who adds hears of a failure at once: the sweeper adds it again. A worker waits for as long as it takes.
  const adding = open({ maxRetriesPerRequest: 1, commandTimeout: queryDeadlineMs })
  const working = open({ maxRetriesPerRequest: null })
  return {
    name: 'redis',
    factory: createRedisBackend as never,
    connection: (of) => (of === 'queue' ? adding : working),
    prefix: `plinth-${installation}`,
    working: () => undefined,
    // Nothing that could be said to it is worth waiting for one that is away.
    async close() {
      isClosed = true
      for (const redis of opened) redis.disconnect()
    },
  }
}
