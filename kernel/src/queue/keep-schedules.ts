// Keeps kernel.job_schedule to what the tenants' modules declare: a row for each scheduled job of each enabled module, with
// the pattern and the time zone that its next time was reckoned by.
import type pg from 'pg'
import type { Logger } from 'pino'
import { fromDatabase } from '../data/database-failure.ts'
import { isPlinthError } from '../errors.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Tenant } from '../stages.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import { nextDue } from './next-due.ts'

export interface ScheduleParts {
  readonly pool: pg.Pool
  readonly registry: Pick<PluginRegistry, 'pluginFor' | 'plugins'>
  readonly directory: Pick<TenantDirectory, 'find'>
  readonly log: Logger
}

export interface Scheduled {
  readonly module: string
  readonly job: string
  readonly pattern: string
}

/** What the tenant's versions of its modules declare; undefined where that is not to be known at the moment. */
export function scheduledIn(
  registry: ScheduleParts['registry'],
  tenant: Tenant,
  module: string,
): readonly Scheduled[] | undefined {
  try {
    const { jobs } = registry.pluginFor(tenant, module).manifest
    return Object.entries(jobs).flatMap(([job, { schedule }]) =>
      schedule === undefined ? [] : [{ module, job, pattern: schedule }],
    )
  } catch (error) {
    if (isPlinthError(error)) return undefined
    throw error
  }
}

interface Row extends Scheduled {
  time_zone: string
}

const read = 'SELECT module, job, pattern, time_zone FROM kernel.job_schedule WHERE tenant_id = $1'
// Of two processes that see different versions the later has its way; both see the same before long.
const write = `
  INSERT INTO kernel.job_schedule (tenant_id, module, job, pattern, time_zone, next_at)
  SELECT $1, s.module, s.job, s.pattern, $2, s.next_at
    FROM jsonb_to_recordset($3) AS s(module text, job text, pattern text, next_at timestamptz)
   WHERE EXISTS (SELECT FROM kernel.tenant_module m WHERE m.tenant_id = $1 AND m.module = s.module)
  ON CONFLICT (tenant_id, module, job) DO UPDATE
    SET pattern = excluded.pattern, time_zone = excluded.time_zone, next_at = excluded.next_at
    WHERE (job_schedule.pattern, job_schedule.time_zone) IS DISTINCT FROM (excluded.pattern, excluded.time_zone)`
const remove = `
  DELETE FROM kernel.job_schedule s USING jsonb_to_recordset($2) AS g(module text, job text)
   WHERE s.tenant_id = $1 AND s.module = g.module AND s.job = g.job`

/** By the database's clock. One that is never due is not to keep the tenant's others from their time. */
async function withNext({ pool, log }: ScheduleParts, tenant: Tenant, schedules: readonly Scheduled[]) {
  const { rows } = await fromDatabase(() => pool.query<{ now: Date }>('SELECT now() AS now'))
  const now = rows[0]?.now ?? new Date()
  return schedules.flatMap((one) => {
    try {
      return [{ ...one, next_at: nextDue(one.pattern, tenant.timeZone, now) }]
    } catch (error) {
      log.warn({ err: error, tenant: tenant.slug, ...one }, 'a schedule cannot be kept')
      return []
    }
  })
}

/** Brings the rows of one tenant up to date. */
export async function keepSchedulesOf(parts: ScheduleParts, tenantId: string): Promise<void> {
  const { pool, registry, directory } = parts
  const tenant = await directory.find(tenantId)
  if (!tenant) return
  const { rows } = await fromDatabase(() => pool.query<Row>(read, [tenant.id]))
  const modules = [...tenant.modules.keys()].map(
    (module) => [module, scheduledIn(registry, tenant, module)] as const,
  )
  const unknown = new Set(modules.flatMap(([module, found]) => (found ? [] : [module])))
  const wanted = new Map(
    modules.flatMap(([, found]) => found ?? []).map((one) => [`${one.module} ${one.job}`, one]),
  )
  const gone = rows.filter(({ module, job }) => !wanted.has(`${module} ${job}`) && !unknown.has(module))
  const known = new Map(rows.map((row) => [`${row.module} ${row.job}`, row]))
  const moved = [...wanted].flatMap(([key, one]) => {
    const row = known.get(key)
    return row?.pattern === one.pattern && row.time_zone === tenant.timeZone ? [] : [one]
  })
  const changed = moved.length > 0 ? await withNext(parts, tenant, moved) : []
  if (gone.length > 0) await fromDatabase(() => pool.query(remove, [tenant.id, JSON.stringify(gone)]))
  if (changed.length > 0)
    await fromDatabase(() => pool.query(write, [tenant.id, tenant.timeZone, JSON.stringify(changed)]))
}

const concerned = `
  SELECT tenant_id FROM kernel.tenant_module WHERE module = ANY($1) AND tenant_id > $2
  UNION SELECT tenant_id FROM kernel.job_schedule WHERE tenant_id > $2
  ORDER BY tenant_id LIMIT $3`
const atOnce = 500

/** Brings the rows of all tenants up to date. */
export async function keepAllSchedules(parts: ScheduleParts, isStopping: () => boolean): Promise<void> {
  const { pool, registry, log } = parts
  const modules = [...registry.plugins].flatMap(([module, { manifest }]) =>
    Object.keys(manifest.jobs).length > 0 ? [module] : [],
  )
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const { rows } = await fromDatabase(() =>
      pool.query<{ tenant_id: string }>(concerned, [modules, after, atOnce]),
    )
    for (const { tenant_id } of rows) {
      if (isStopping()) return
      await keepSchedulesOf(parts, tenant_id).catch((error: unknown) =>
        log.warn(
          { err: error, tenant: tenant_id },
          'the schedules of a tenant could not be brought up to date',
        ),
      )
    }
    const last = rows.at(-1)
    if (!last || rows.length < atOnce) return
    after = last.tenant_id
  }
}
