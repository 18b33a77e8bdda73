// /v1/tenant/delegations: permissions that one person lends another for a while.
import { type Delegation, endDelegation, lend, listDelegations } from '../permissions/delegations.ts'
import type { ModulesOf } from '../permissions/tenant-modules.ts'
import { requireUncut } from '../permissions/tenant-permissions.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { delegationShape, type NewDelegationBody, newDelegationBody } from './access-schemas.ts'
import type { Instance } from './create-instance.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, type PageQuery, pageQuery, problemResponses, tenantHeader } from './schemas.ts'

export function delegationRoutes(
  app: Instance,
  ladder: Ladder,
  { runControl, modulesOf }: { readonly runControl: RunControl; readonly modulesOf: ModulesOf },
): void {
  const common = { tags: ['Delegations'], headers: tenantHeader }

  app.route({
    method: 'GET',
    url: '/v1/tenant/delegations',
    schema: {
      ...common,
      summary: 'What the caller lends and borrows; everybody’s, for who manages them',
      querystring: pageQuery,
      response: { 200: listOf(delegationShape), ...problemResponses },
    },
    ...atRung(ladder.reading('tenant.delegations.read'), async (stage, request) => {
      const { limit, cursor } = request.query as PageQuery
      return listDelegations(runControl, stage, {
        limit: Number(limit ?? 50),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/delegations',
    schema: {
      ...common,
      summary: 'Lend permissions that the caller has himself',
      body: newDelegationBody,
      response: { 201: delegationShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) =>
      keep(
        (run) => lend(run, modulesOf(stage.tenant), stage, request.body as NewDelegationBody),
        (body: Delegation) => ({ status: 201, location: '/v1/tenant/delegations', body }),
      ),
    ),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tenant/delegations/:id',
    schema: {
      ...common,
      summary: 'End a delegation now',
      response: { 204: { description: 'Ended.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireUncut(stage)
      await endDelegation(runControl, stage, (request.params as { id: string }).id)
      return reply.code(204).send()
    }),
  })
}
