// Takes away what nobody can use any more, an hour apart and some rows at a time: links, challenges and codes that are over,
// counts that are forgotten, sessions that have ended by themselves, and mails long after they were sent. Any number of
// processes may do it at once.
import type pg from 'pg'
import type { Logger } from 'pino'

const everyMs = 3_600_000
const mostRows = 10_000

/** Table, key, and what is over. */
const over: readonly (readonly [table: string, key: string, condition: string])[] = [
  ['identity.link', 'token_hash', 'expires_at < now()'],
  ['identity.throttle', 'key', `updated_at < now() - interval '2 days' AND blocked_until < now()`],
  ['identity.used_code', 'ctid', `used_at < now() - interval '1 hour'`],
  ['identity.passkey_challenge', 'id', 'expires_at < now()'],
  ['identity.verification', 'id', '"expiresAt" < now()'],
  ['identity.session', 'id', '"expiresAt" < now()'],
  ['kernel.mail', 'id', `coalesce(sent_at, dead_at) < now() - interval '30 days'`],
]

/** How many rows it took away. */
export async function purgeIdentity(pool: Pick<pg.Pool, 'query'>): Promise<number> {
  let purged = 0
  for (const [table, key, condition] of over) {
    const { rowCount } = await pool.query(
      `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ${mostRows})`,
    )
    purged += rowCount ?? 0
  }
  return purged
}

export function startIdentityPurge(pool: pg.Pool, log: Logger): { close(): Promise<void> } {
  let running: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    running = purgeIdentity(pool).catch((error: unknown) =>
      log.warn({ err: error }, 'what is over of identity could not be taken away'),
    )
  }, everyMs)
  timer.unref()
  return {
    async close() {
      clearInterval(timer)
      await running
    },
  }
}
