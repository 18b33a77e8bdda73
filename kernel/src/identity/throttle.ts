// Counts attempts that failed, in the database, so that all kernel processes count together. An attempt is counted as a
// failure before it is made, and taken back when it succeeds: a thousand at the same moment do not slip through. What is
// counted is a text, an address of mail or network, whether anybody has it or not: nobody learns which accounts exist.
import { createHash } from 'node:crypto'
import type pg from 'pg'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import { networkOf } from './networks.ts'

/** What is counted, how many failures are free, and how long one waits after that: twice as long each time. */
export interface ThrottleRule {
  readonly kind: 'account' | 'account-here' | 'address' | 'mail' | 'mail-address'
  readonly free: number
  readonly firstWaitSeconds: number
  readonly longestWaitSeconds: number
  /** A failure is forgotten in so long, little by little: a busy network is not blocked by what happened last week. */
  readonly leakSeconds: number
}

export interface Counted {
  readonly rule: ThrottleRule
  readonly of: string
}

export interface Throttle {
  /**
   * Counts an attempt. Answers what has been blocked by this very attempt, should it fail.
   * @throws TOO_MANY_ATTEMPTS while one of them is blocked
   */
  begin(counted: readonly Counted[]): Promise<readonly Counted[]>
  /** The attempt did not fail: it is taken back, and so is what was `blocked` by it, as `begin` answered, and by no other. */
  takeBack(counted: readonly Counted[], blocked: readonly Counted[]): Promise<void>
  /** Forgets all failures. */
  forget(counted: Counted): Promise<void>
}

const keyOf = ({ rule, of }: Counted): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([rule.kind, rule.kind.endsWith('address') ? networkOf(of) : of.toLowerCase()]))
    .digest()

// The column keeps milliseconds: a time rounded up would block until then.
/** What is left of the failures so far, and the one that is counted now. */
const failures = `(greatest(t.failures - extract(epoch FROM now() - t.updated_at) / $2, 0) + 1)`

const count = `
  INSERT INTO identity.throttle AS t (key, failures, blocked_until) VALUES ($1, 1, date_trunc('milliseconds', now()))
  ON CONFLICT (key) DO UPDATE SET
    failures = ${failures},
    blocked_until = CASE WHEN round(${failures}) >= $3
      THEN now() + least($4 * power(2, least(round(${failures}) - $3, 30)), $5) * interval '1 second' ELSE date_trunc('milliseconds', now()) END,
    updated_at = now()
  WHERE t.blocked_until <= clock_timestamp()
  RETURNING blocked_until > now() AS blocks`

export function createThrottle(pool: pg.Pool, off: DefencesOff = allStand): Throttle {
  async function countOne(counted: Counted): Promise<boolean> {
    const { leakSeconds, free, firstWaitSeconds, longestWaitSeconds } = counted.rule
    const { rows } = await pool.query<{ blocks: boolean }>(count, [
      keyOf(counted),
      leakSeconds,
      free,
      firstWaitSeconds,
      longestWaitSeconds,
    ])
    if (rows[0]) return rows[0].blocks
    const waiting = await pool.query<{ seconds: number }>(
      `SELECT greatest(1, ceil(extract(epoch FROM blocked_until - now())))::int AS seconds
         FROM identity.throttle WHERE key = $1`,
      [keyOf(counted)],
    )
    throw errors.tooManyAttempts({ retryAfter: waiting.rows[0]?.seconds ?? 1 })
  }

  async function takeBack(counted: readonly Counted[], blocked: readonly Counted[]): Promise<void> {
    for (const one of counted)
      await pool.query(
        `UPDATE identity.throttle SET failures = greatest(failures - 1, 0),
           blocked_until = CASE WHEN $2 THEN date_trunc('milliseconds', now()) ELSE blocked_until END WHERE key = $1`,
        [keyOf(one), blocked.includes(one)],
      )
  }

  return {
    async begin(counted) {
      if (off.has('signInThrottle')) return []
      const begun: Counted[] = []
      const blocking: Counted[] = []
      for (const one of counted) {
        try {
          if (await countOne(one)) blocking.push(one)
          begun.push(one)
        } catch (error) {
          // What was not tried for one of them is no failure of the others.
          await takeBack(begun, blocking)
          throw error
        }
      }
      return blocking
    },
    takeBack,
    async forget(counted) {
      await pool.query('DELETE FROM identity.throttle WHERE key = $1', [keyOf(counted)])
    },
  }
}
