// GET /v1/tenant/usage: what the tenant has used of each module, beside what one request may use.

import Type from 'typebox'
import { isGovernorLimit, limitRows } from '../entitlements/governor-limits.ts'
import type { LimitDirectory } from '../entitlements/limit-directory.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { UsageRow } from '../telemetry/read-usage.ts'
import type { UsageCounter } from '../telemetry/usage-counter.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, problemResponses, tenantHeader } from './schemas.ts'

const usageShape = Type.Object({
  module: Type.String(),
  name: Type.String({ description: 'A limit of docs/limits.md, or requests, limitHits.' }),
  unit: Type.String({ description: 'ms, bytes or count.' }),
  today: Type.Number({ description: 'Since 0:00 UTC.' }),
  month: Type.Number({ description: 'Since the first of the month, 0:00 UTC.' }),
  requestCap: Type.Optional(
    Type.Number({ description: 'What a single request may use, where it is bounded.' }),
  ),
})

export function usageRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly usage: UsageCounter
    readonly readUsage: (tenant: string) => Promise<readonly UsageRow[]>
    readonly limits: LimitDirectory
  },
): void {
  const { usage, readUsage, limits } = parts
  app.route({
    method: 'GET',
    url: '/v1/tenant/usage',
    schema: {
      tags: ['Tenants'],
      summary: 'What the tenant has used of each module; other kernel processes tell theirs every minute',
      headers: tenantHeader,
      response: { 200: listOf(usageShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage) => {
      requireTenantPermission(stage, 'tenant.usage.read')
      const { tenant } = stage
      await usage.flush()
      const capsIn = await limits.limitsOf(tenant)
      const rows = await readUsage(tenant.id)
      return {
        items: rows.map((row) => {
          if (!isGovernorLimit(row.name)) return { ...row, unit: 'count' }
          const requestCap = capsIn(row.module, 'request')[row.name]
          return { ...row, unit: limitRows[row.name].unit, requestCap }
        }),
      }
    }),
  })
}
