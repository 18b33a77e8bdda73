// How often each name has asked in the minute that is running: counted in this process, or for all of them together.
import { LRUCache } from 'lru-cache'
import type pg from 'pg'
import type { Logger } from 'pino'

export const windowMs = 60_000
/** Who asks least often is forgotten first. About 150 bytes each. */
const mostNames = 100_000
const shareEveryMs = 1_000
const sharedAtOnce = 5_000

export interface RateCounts {
  /** Counts one more, and says how many there are in this window. */
  add(name: string): number
  close(): Promise<void>
}

/** The same for every process whose clock is right. */
export const windowEnd = (now = Date.now()): number => now - (now % windowMs) + windowMs

interface Count {
  endsAt: number
  /** By all processes, as far as is known here. */
  count: number
  /** Of them those that nobody else has heard of. */
  unshared: number
}

export function countInMemory(): RateCounts & { readonly counts: LRUCache<string, Count> } {
  const counts = new LRUCache<string, Count>({ max: mostNames })
  let endsAt = 0
  return {
    counts,
    add(name) {
      const now = Date.now()
      if (now >= endsAt) endsAt = windowEnd(now)
      const known = counts.get(name)
      if (!known) {
        counts.set(name, { endsAt, count: 1, unshared: 1 })
        return 1
      }
      if (known.endsAt !== endsAt) Object.assign(known, { endsAt, count: 0, unshared: 0 })
      known.unshared += 1
      known.count += 1
      return known.count
    },
    async close() {},
  }
}

const share = `
  INSERT INTO kernel.rate_count AS r (name, ends_at, count)
  SELECT n.name, to_timestamp(n.ends / 1000.0), n.count
    FROM jsonb_to_recordset($1) AS n(name text, ends bigint, count bigint) ORDER BY 1, 2
  ON CONFLICT (name, ends_at) DO UPDATE SET count = r.count + excluded.count
  RETURNING name, count::int, (extract(epoch FROM ends_at) * 1000)::bigint::text AS ends`

/**
 * Counts in memory, and tells the other processes every second through the database: a request costs no query, and what
 * is let through beyond the limit is at most what comes within that second.
 */
export function countTogether(pool: pg.Pool, log: Logger): RateCounts & { shareNow(): Promise<void> } {
  const { counts, add } = countInMemory()
  const touched = new Set<string>()
  let sharing: Promise<void> | undefined

  async function shareSome(): Promise<void> {
    const names = [...touched].slice(0, sharedAtOnce)
    const sent = names.flatMap((name) => {
      touched.delete(name)
      const known = counts.peek(name)
      if (!known || known.unshared === 0) return []
      const { endsAt: ends, unshared: count } = known
      known.unshared = 0
      return [{ name, ends, count }]
    })
    if (sent.length === 0) return
    const { rows } = await pool.query<{ name: string; count: number; ends: string }>(share, [
      JSON.stringify(sent),
    ])
    for (const { name, count, ends } of rows) {
      const known = counts.peek(name)
      if (known && known.endsAt === Number(ends)) known.count = count + known.unshared
    }
    await pool.query('DELETE FROM kernel.rate_count WHERE ends_at < now()')
  }

  function shareNow(): Promise<void> {
    sharing ??= shareSome()
      // Each process goes on by what it has counted itself.
      .catch((error: unknown) => log.warn({ err: error }, 'the counts of requests could not be shared'))
      .finally(() => {
        sharing = undefined
      })
    return sharing
  }
  const timer = setInterval(() => void shareNow(), shareEveryMs)
  timer.unref()

  return {
    add(name) {
      touched.add(name)
      return add(name)
    },
    shareNow,
    async close() {
      clearInterval(timer)
      await sharing
    },
  }
}
