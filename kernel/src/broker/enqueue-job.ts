// A job that somebody wants done: its input parsed by the fields that the module declares, and the row of kernel.task that
// waits, in whatever transaction it belongs to.
import type { JobSpec, Json } from '@plinth/sdk'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import { nearestName } from '../data/nearest-name.ts'
import { errors } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'

export interface EnqueueOptions {
  readonly delayMs?: number
  /** ISO 8601 with its zone. */
  readonly at?: string
  readonly priority?: number
  readonly unique?: string
}

/** Who has it done, and on what occasion. */
export interface Occasion {
  readonly actor: string
  readonly onBehalfOf?: string | undefined
  readonly requestId: string
  readonly traceparent?: string | undefined
  readonly depth?: number
}

export interface NewJob extends Occasion {
  readonly tenant: string
  readonly module: string
  readonly job: string
  readonly input: Json
  readonly attempts: number
  readonly options?: EnqueueOptions
}

export const jobsQueue = (module: string): string => `jobs.${module}`

/** Waiting jobs of one tenant in one module. */
export const mostWaiting = 100_000
const inputBytes = 64 * 1024
const longestAheadMs = 366 * 24 * 3_600_000
/** A job that ended between the two statements: the next round inserts. */
const mostRounds = 5

const zoned = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/

/** @throws JOB_UNKNOWN */
export function jobSpecOf({ manifest }: Pick<LoadedPlugin, 'manifest'>, job: string): JobSpec {
  const spec = Object.hasOwn(manifest.jobs, job) ? manifest.jobs[job] : undefined
  if (spec) return spec
  const nearest = nearestName(job, Object.keys(manifest.jobs))
  throw errors.jobUnknown({ module: manifest.name, job, ...(nearest === undefined ? {} : { nearest }) })
}

/** @throws VALIDATION_FAILED that names the field */
export function parseJobInput(spec: JobSpec, input: unknown): Json {
  const parsed = parseFields(spec.input, input)
  const bytes = Buffer.byteLength(JSON.stringify(parsed))
  if (bytes <= inputBytes) return parsed
  const message = `is ${bytes} bytes of JSON, and ${inputBytes} are the most. Store it in a record and pass its id.`
  throw errors.validation({ errors: [{ field: 'input', code: 'TOO_LARGE', message }] })
}

/** Milliseconds from now. @throws VALIDATION_FAILED */
function delayOf({ delayMs, at }: EnqueueOptions): number {
  const wrong = (field: string, message: string) =>
    errors.validation({ errors: [{ field, code: 'OUT_OF_RANGE', message }] })
  if (at === undefined) return delayMs ?? 0
  if (delayMs !== undefined) throw wrong('options.at', 'cannot be given together with delayMs.')
  const instant = zoned.test(at) ? Date.parse(at) : Number.NaN
  if (Number.isNaN(instant)) throw wrong('options.at', "must be an instant such as '2026-03-31T06:00:00Z'.")
  const ahead = instant - Date.now()
  if (ahead > longestAheadMs) throw wrong('options.at', 'is more than 366 days ahead.')
  return Math.max(0, ahead)
}

/** One statement with its values, on whatever connection the transaction is; the first column of each row. */
export type AskRow = (text: string, values: readonly unknown[]) => Promise<readonly unknown[]>

const insert = `
  INSERT INTO kernel.task (tenant_id, kind, queue, module, name, input, unique_key, priority, depth, attempts_max,
                           run_at, ready, actor, on_behalf_of, request_id, traceparent)
  VALUES ($1, 'job', $2, $3, $4, $5::jsonb, $6, $7, $8, $9, now() + make_interval(secs => $10::float8 / 1000), $10::float8 <= 0,
          $11, $12, $13, $14)
  ON CONFLICT (tenant_id, queue, name, unique_key) WHERE unique_key IS NOT NULL AND state IN ('waiting', 'running')
  DO NOTHING
  RETURNING id::text`
const find = `
  SELECT id::text FROM kernel.task
  WHERE tenant_id = $1 AND queue = $2 AND name = $3 AND unique_key = $4 AND state IN ('waiting', 'running')`
const count = `
  SELECT count(*)::int FROM (SELECT FROM kernel.task
    WHERE queue = $1 AND tenant_id = $2 AND lane = '' AND state = 'waiting' LIMIT $3) AS waiting`

/** @throws LIMIT_EXCEEDED when so many wait that another one would not be done for long */
export async function refuseWhenFull(ask: AskRow, tenant: string, module: string): Promise<void> {
  const [waiting] = await ask(count, [jobsQueue(module), tenant, mostWaiting])
  if (Number(waiting) >= mostWaiting)
    throw errors.limitExceeded({ module, limit: 'jobsWaiting', used: Number(waiting), cap: mostWaiting })
}

/** Its id, or that of the job with the same unique key which waits or runs. */
export async function insertJob(
  ask: AskRow,
  job: NewJob,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const { tenant, module, options = {} } = job
  const queue = jobsQueue(module)
  const unique = options.unique ?? null
  const { priority = 0 } = options
  const { actor, onBehalfOf = null, requestId, traceparent = null, depth = 0 } = job
  const values = [
    tenant,
    queue,
    module,
    job.job,
    JSON.stringify(job.input),
    unique,
    priority,
    depth,
    job.attempts,
  ]
  for (let round = 0; round < mostRounds; round += 1) {
    const [id] = await ask(insert, [...values, delayOf(options), actor, onBehalfOf, requestId, traceparent])
    if (typeof id === 'string') return { id, isNew: true }
    const [same] = await ask(find, [tenant, queue, job.job, unique])
    if (typeof same === 'string') return { id: same, isNew: false }
  }
  throw errors.writeConflict({})
}
