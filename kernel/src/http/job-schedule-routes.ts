// GET /v1/tenant/job-schedules: which jobs the tenant's modules do by the clock, and when they are due next.
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Instance } from './create-instance.ts'
import { scheduleShape } from './job-schemas.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, problemResponses, tenantHeader } from './schemas.ts'

interface Row {
  module: string
  job: string
  pattern: string
  time_zone: string
  next_at: Date
}

/** A module has 200 jobs at most, and a tenant some dozens of modules: they are one page. */
const select = `
  SELECT module, job, pattern, time_zone, next_at FROM kernel.job_schedule
   WHERE tenant_id = $1 ORDER BY module, job`

export function jobScheduleRoutes(
  app: Instance,
  ladder: Ladder,
  { pool, registry }: { readonly pool: pg.Pool; readonly registry: Pick<PluginRegistry, 'served'> },
): void {
  app.route({
    method: 'GET',
    url: '/v1/tenant/job-schedules',
    schema: {
      tags: ['Jobs'],
      summary: 'Jobs that are done by the clock, and when they are due next',
      headers: tenantHeader,
      response: { 200: listOf(scheduleShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage) => {
      requireTenantPermission(stage, 'tenant.jobs.read')
      const { tenant } = stage
      const { rows } = await fromDatabase(() => pool.query<Row>(select, [tenant.id]))
      return {
        items: rows.map(({ module, job, pattern, time_zone, next_at }) => {
          const title = registry.served(module)?.pluginFor(tenant)?.manifest.jobs[job]?.title
          return {
            module,
            job,
            ...(title === undefined ? {} : { title }),
            schedule: pattern,
            timeZone: time_zone,
            nextAt: next_at.toISOString(),
          }
        }),
      }
    }),
  })
}
