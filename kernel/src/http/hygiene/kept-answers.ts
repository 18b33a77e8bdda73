// The answers of requests with an Idempotency-Key, as they are kept for a day: found again, added outside the transaction of
// the request where there was none, and deleted when they are old.
import type pg from 'pg'
import type { Logger } from 'pino'
import { fromDatabase } from '../../data/database-failure.ts'
import {
  answerValues,
  type IdempotencyKey,
  type IdempotentRequest,
  insertAnswer,
  type KeptAnswer,
} from '../../data/idempotent-request.ts'
import { errors } from '../../errors.ts'

const purgeEveryMs = 10 * 60_000
const purgedAtOnce = 10_000

export interface KeptAnswers {
  /** @throws IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_ANSWER_GONE */
  find(key: IdempotencyKey): Promise<KeptAnswer | undefined>
  /** Of what was done already, or else with its claim. */
  add(request: IdempotentRequest, answer: KeptAnswer): Promise<void>
  close(): Promise<void>
}

interface KeptRow {
  fingerprint: string
  is_fresh: boolean
  status: number | null
  headers: Record<string, string> | null
  body: string | null
  is_whole: boolean | null
}

const selectKept = `
  SELECT r.fingerprint, r.claimed_at > now() - interval '1 day' AS is_fresh, a.status, a.headers, a.body, a.is_whole
    FROM kernel.idempotent_request r LEFT JOIN kernel.idempotent_answer a USING (tenant_id, actor, route, key)
   WHERE (r.tenant_id, r.actor, r.route, r.key) = ($1, $2, $3, $4)`

const addBoth = `
  WITH claim AS (
    INSERT INTO kernel.idempotent_request (tenant_id, actor, route, key, fingerprint)
    VALUES ($1, $2, $3, $4, $9) ON CONFLICT DO NOTHING RETURNING tenant_id)
  INSERT INTO kernel.idempotent_answer (tenant_id, actor, route, key, status, headers, body, is_whole)
  SELECT claim.tenant_id, $2, $3, $4, $5, $6, $7, $8 FROM claim`

/** The answer first: a claim without one would say that the request was carried out. */
const forget = `
  WITH gone AS (
    DELETE FROM kernel.idempotent_answer WHERE (tenant_id, actor, route, key) = ($1, $2, $3, $4))
  DELETE FROM kernel.idempotent_request WHERE (tenant_id, actor, route, key) = ($1, $2, $3, $4)`

const purgeOf = (table: string, column: string) => `
  DELETE FROM kernel.${table} WHERE ctid IN (
    SELECT ctid FROM kernel.${table} WHERE ${column} < now() - interval '25 hours' ORDER BY ${column} LIMIT ${purgedAtOnce})`
const purges = [purgeOf('idempotent_request', 'claimed_at'), purgeOf('idempotent_answer', 'answered_at')]

const placeOf = ({ tenant, actor, route, key }: IdempotencyKey) => [tenant, actor, route, key]

export function createKeptAnswers(pool: pg.Pool, log: Logger): KeptAnswers {
  const query = <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
    fromDatabase(() => pool.query<Row>(text, [...values]))

  async function purge(): Promise<void> {
    for (const text of purges) await query(text)
  }
  const purging = setInterval(() => {
    purge().catch((error: unknown) => log.warn({ err: error }, 'kept answers could not be purged'))
  }, purgeEveryMs)
  purging.unref()

  return {
    async find(key) {
      const { rows } = await query<KeptRow>(selectKept, placeOf(key))
      const [row] = rows
      if (!row) return undefined
      if (!row.is_fresh) {
        await query(forget, placeOf(key))
        return undefined
      }
      if (row.fingerprint !== key.fingerprint) throw errors.idempotencyKeyReused({})
      if (row.status === null || !row.is_whole) throw errors.idempotencyAnswerGone({})
      return { status: row.status, headers: row.headers ?? {}, body: row.body ?? undefined }
    },
    async add({ key, isDone }, answer) {
      if (isDone) await query(insertAnswer([]).text, answerValues(key, answer))
      else await query(addBoth, [...answerValues(key, answer), key.fingerprint])
    },
    async close() {
      clearInterval(purging)
    },
  }
}
