// /v1/tenant/duties: permissions that are kept apart, and where they meet already.
import { createDuty, deleteDuty, reportDuties } from '../permissions/change-duties.ts'
import { type Duty, dutiesOf } from '../permissions/duty-conflicts.ts'
import type { ModulesOf } from '../permissions/tenant-modules.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { dutyReportShape, dutyShape, type NewDutyBody, newDutyBody } from './access-schemas.ts'
import type { Instance } from './create-instance.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, type PageQuery, pageQuery, problemResponses, tenantHeader } from './schemas.ts'

export function dutyRoutes(
  app: Instance,
  ladder: Ladder,
  { runControl, modulesOf }: { readonly runControl: RunControl; readonly modulesOf: ModulesOf },
): void {
  const common = { tags: ['Duties'], headers: tenantHeader }

  app.route({
    method: 'GET',
    url: '/v1/tenant/duties',
    schema: {
      ...common,
      summary: 'Pairs of permissions that are kept apart, 200 at most',
      response: { 200: listOf(dutyShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage) => {
      requireTenantPermission(stage, 'tenant.duties.manage')
      return { items: await runControl((tx) => dutiesOf(tx, stage.tenant.id)) }
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/duties',
    schema: {
      ...common,
      summary: 'Keep two permissions apart',
      body: newDutyBody,
      response: { 201: dutyShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      requireTenantPermission(stage, 'tenant.duties.manage')
      return keep(
        (run) => createDuty(run, modulesOf(stage.tenant), stage, request.body as NewDutyBody),
        (body: Duty) => ({ status: 201, location: '/v1/tenant/duties', body }),
      )
    }),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tenant/duties/:id',
    schema: {
      ...common,
      summary: 'Keep them apart no longer',
      response: { 204: { description: 'Removed.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.duties.manage')
      await deleteDuty(runControl, stage, (request.params as { id: string }).id)
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenant/duties/report',
    schema: {
      ...common,
      summary: 'Members who hold both of a pair. A page looks at `limit` members and names those of them.',
      querystring: pageQuery,
      response: { 200: listOf(dutyReportShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      requireTenantPermission(stage, 'tenant.duties.manage')
      const { limit, cursor } = request.query as PageQuery
      return reportDuties(runControl, modulesOf(stage.tenant), stage.tenant.id, {
        limit: Number(limit ?? 50),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
}
