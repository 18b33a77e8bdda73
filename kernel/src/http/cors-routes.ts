// /v1/tenant/cors: the origins whose pages may read this tenant's answers.
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { changeOrigins, originsOf } from '../tenants/tenant-origins.ts'
import { type CorsBody, corsBody, corsShape } from './cors-schemas.ts'
import type { Instance } from './create-instance.ts'
import { ifMatch, sendRecord } from './etag.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses, tenantHeader } from './schemas.ts'

export function corsRoutes(app: Instance, ladder: Ladder, runControl: RunControl): void {
  const common = { tags: ['Settings'], headers: tenantHeader }
  const response = { 200: corsShape, ...problemResponses }

  app.route({
    method: 'GET',
    url: '/v1/tenant/cors',
    schema: { ...common, summary: 'Origins whose pages may read the answers of this tenant', response },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.settings.update')
      return sendRecord(request, reply, await originsOf(runControl, stage.tenant.id))
    }),
  })
  app.route({
    method: 'PUT',
    url: '/v1/tenant/cors',
    schema: { ...common, summary: 'Set them; what is left out is closed', body: corsBody, response },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.settings.update')
      const { origins } = request.body as CorsBody
      const { versions } = ifMatch(request)
      return sendRecord(request, reply, await changeOrigins(runControl, stage, origins, versions))
    }),
  })
}
