// From schedules that are due to jobs: each due time enqueues one job, in the transaction that sets the next time, so that
// several processes never make two of one. Times that were missed while nobody was there are made up for by one job.
import type pg from 'pg'
import { insertJob, jobsQueue, parseJobInput } from '../broker/enqueue-job.ts'
import { fromDatabase } from '../data/database-failure.ts'
import type { ScheduleParts } from './keep-schedules.ts'
import { scheduledIn } from './keep-schedules.ts'
import { nextDue } from './next-due.ts'
import type { Lane } from './task.ts'

interface DueRow {
  tenant_id: string
  module: string
  job: string
  pattern: string
  time_zone: string
  next_at: Date
  /** The database's, which says what is due: by a clock that is behind it the same time would come again. */
  now: Date
}

const atOnce = 100
/** A module that is not to be had for the moment is asked again after so long. */
const laterMs = 30_000

const selectDue = `
  SELECT tenant_id, module, job, pattern, time_zone, next_at, now() AS now FROM kernel.job_schedule
   WHERE next_at <= now() ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED`
const setNext = `
  UPDATE kernel.job_schedule SET next_at = $4, pattern = $5, time_zone = $6
   WHERE tenant_id = $1 AND module = $2 AND job = $3`
const remove = 'DELETE FROM kernel.job_schedule WHERE tenant_id = $1 AND module = $2 AND job = $3'

/** Which nobody else can give: a key of a plugin's has a character at least. */
const scheduleKey = ''
/** Who is named as the one who had it done. */
const actor = 'kernel'

/** Lanes that got something; and whether there may be more that is due. */
export async function fireDue(parts: ScheduleParts): Promise<{ lanes: Lane[]; isMore: boolean }> {
  const client = await fromDatabase(() => parts.pool.connect())
  let broken: Error | boolean = true
  try {
    await client.query('BEGIN')
    const { rows } = await client.query<DueRow>(selectDue, [atOnce])
    const lanes: Lane[] = []
    for (const row of rows) {
      const lane = await fire(parts, client, row).catch((error: unknown) => putOff(parts, client, row, error))
      if (lane) lanes.push(lane)
    }
    await client.query('COMMIT')
    broken = false
    return { lanes, isMore: rows.length === atOnce }
  } catch (error) {
    await client.query('ROLLBACK').then(
      () => {
        broken = false
      },
      () => undefined,
    )
    throw error
  } finally {
    client.release(broken)
  }
}

/** One that cannot be is not to keep the others of all tenants from their time. */
async function putOff(
  { log }: ScheduleParts,
  client: pg.PoolClient,
  { tenant_id, module, job, pattern, time_zone, now }: DueRow,
  error: unknown,
): Promise<undefined> {
  log.warn({ err: error, tenant: tenant_id, module, job }, 'a schedule cannot be kept; it is tried again')
  const later = new Date(now.getTime() + laterMs)
  await client.query(setNext, [tenant_id, module, job, later, pattern, time_zone])
}

async function fire(
  { registry, directory, log }: ScheduleParts,
  client: pg.PoolClient,
  row: DueRow,
): Promise<Lane | undefined> {
  const { tenant_id, module, job, now } = row
  const key = [tenant_id, module, job]
  const tenant = await directory.find(tenant_id)
  const scheduled = tenant?.modules.has(module) ? scheduledIn(registry, tenant, module) : []
  const pattern = scheduled?.find((one) => one.job === job)?.pattern
  if (scheduled && (!tenant || pattern === undefined)) {
    await client.query(remove, key)
    return undefined
  }
  if (!tenant || pattern === undefined) {
    const later = new Date(now.getTime() + laterMs)
    await client.query(setNext, [...key, later, row.pattern, row.time_zone])
    return undefined
  }
  await client.query(setNext, [...key, nextDue(pattern, tenant.timeZone, now), pattern, tenant.timeZone])
  // It was moved and nobody had brought the row up to date: this is not the time that is meant.
  if (pattern !== row.pattern || tenant.timeZone !== row.time_zone) return undefined
  const spec = registry.pluginFor(tenant, module).manifest.jobs[job]
  if (!spec) return undefined
  const { id, isNew } = await insertJob(
    async (text, values) => {
      const result = await client.query({ text, values: [...values], rowMode: 'array' })
      return result.rows.map((one: unknown[]) => one[0])
    },
    {
      tenant: tenant.id,
      module,
      job,
      input: parseJobInput(spec, {}),
      attempts: spec.attempts,
      // The last one may not have been done yet: then there is no second.
      options: { unique: scheduleKey },
      actor,
      requestId: `schedule:${row.next_at.toISOString()}`,
    },
  )
  log.debug({ tenant: tenant.slug, module, job, task: id, isNew }, 'a schedule was due')
  return { queue: jobsQueue(module), tenant: tenant.id, lane: '' }
}
