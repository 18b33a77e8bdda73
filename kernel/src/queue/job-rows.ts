// Jobs as people of the tenant see them: one, and lists. Read by the control plane, which names the tenant itself.
import { createHash } from 'node:crypto'
import type { Json } from '@plinth/sdk'
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'

export const jobStates = ['waiting', 'running', 'done', 'dead', 'cancelled', 'skipped'] as const
export type JobState = (typeof jobStates)[number]

export interface JobView {
  readonly id: string
  readonly module: string
  readonly job: string
  readonly state: JobState
  readonly input: Json
  readonly attempt: number
  readonly attemptsMax: number
  /** 0 to 1. */
  readonly progress?: number
  readonly note?: string
  readonly result?: Json
  /** Of the last attempt that failed. */
  readonly error?: Json
  readonly unique?: string
  readonly priority: number
  readonly startedBy: string
  readonly onBehalfOf?: string
  readonly requestId: string
  readonly createdAt: string
  /** Not before. */
  readonly runAt: string
  readonly startedAt?: string
  readonly endedAt?: string
  readonly cancelAskedAt?: string
}

export interface JobRow {
  id: string
  module: string
  name: string
  state: JobState
  input: Json
  attempt: number
  attempts_max: number
  progress: number | null
  progress_note: string | null
  result: Json
  error: Json
  unique_key: string | null
  priority: number
  actor: string
  on_behalf_of: string | null
  request_id: string
  created_at: Date
  run_at: Date
  started_at: Date | null
  ended_at: Date | null
  cancel_asked_at: Date | null
}

export const jobColumns = `id::text, module, name, state, input, attempt, attempts_max, progress, progress_note, result, error,
  unique_key, priority, actor, on_behalf_of, request_id, created_at, run_at, started_at, ended_at, cancel_asked_at`

const at = <K extends string>(key: K, value: Date | null) =>
  value === null ? {} : { [key]: value.toISOString() }

export const jobOf = (row: JobRow): JobView => ({
  id: row.id,
  module: row.module,
  job: row.name,
  state: row.state,
  input: row.input ?? {},
  attempt: row.attempt,
  attemptsMax: row.attempts_max,
  ...(row.progress === null ? {} : { progress: Math.round(row.progress * 10_000) / 10_000 }),
  ...(row.progress_note === null ? {} : { note: row.progress_note }),
  ...(row.state === 'done' ? { result: row.result } : {}),
  ...(row.error === null ? {} : { error: row.error }),
  ...(row.unique_key === null ? {} : { unique: row.unique_key }),
  priority: row.priority,
  startedBy: row.actor,
  ...(row.on_behalf_of === null ? {} : { onBehalfOf: row.on_behalf_of }),
  requestId: row.request_id,
  createdAt: row.created_at.toISOString(),
  runAt: row.run_at.toISOString(),
  ...at('startedAt', row.started_at),
  ...at('endedAt', row.ended_at),
  ...at('cancelAskedAt', row.cancel_asked_at),
})

/** Another with everything about the job that changes. */
export function jobEtag(job: JobView): string {
  const { state, attempt, attemptsMax, progress, note, runAt, startedAt, endedAt, cancelAskedAt, error } = job
  const all = [state, attempt, attemptsMax, progress, note, runAt, startedAt, endedAt, cancelAskedAt, error]
  return `"${createHash('sha256').update(JSON.stringify(all)).digest('base64url').slice(0, 16)}"`
}

/** As PostgreSQL's bigint, which an id of another form is not. */
export const isJobId = (id: string): boolean => /^[1-9]\d{0,17}$/.test(id)

export async function readJob(
  pool: Pick<pg.Pool, 'query'>,
  tenant: string,
  id: string,
  off: DefencesOff = allStand,
): Promise<JobView | undefined> {
  if (!isJobId(id)) return undefined
  const ofTenant = off.has('jobTenant') ? '$1::uuid IS NOT NULL' : 'tenant_id = $1'
  const { rows } = await fromDatabase(() =>
    pool.query<JobRow>(
      `SELECT ${jobColumns} FROM kernel.task WHERE ${ofTenant} AND id = $2 AND kind = 'job'`,
      [tenant, id],
    ),
  )
  return rows[0] && jobOf(rows[0])
}

export interface JobQuery {
  readonly module?: string | undefined
  readonly job?: string | undefined
  readonly state?: JobState | undefined
  /** Of this person alone. */
  readonly startedBy?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** Newest first. @throws CURSOR_INVALID */
export async function listJobs(
  pool: Pick<pg.Pool, 'query'>,
  tenant: string,
  query: JobQuery,
): Promise<{ items: JobView[]; cursor?: string }> {
  const { cursor, limit } = query
  if (cursor !== undefined && !isJobId(cursor)) throw errors.cursorInvalid({})
  const values: unknown[] = [tenant]
  const where = Object.entries({
    'id <': cursor,
    'module =': query.module,
    'name =': query.job,
    'state =': query.state,
    'actor =': query.startedBy,
  }).flatMap(([condition, value]) => (value === undefined ? [] : [`${condition} $${values.push(value)}`]))
  const { rows } = await fromDatabase(() =>
    pool.query<JobRow>(
      `SELECT ${jobColumns} FROM kernel.task
        WHERE ${["tenant_id = $1 AND kind = 'job'", ...where].join(' AND ')}
        ORDER BY id DESC LIMIT $${values.push(limit + 1)}`,
      values,
    ),
  )
  const items = rows.slice(0, limit).map(jobOf)
  const last = items.at(-1)
  return rows.length > limit && last ? { items, cursor: last.id } : { items }
}
