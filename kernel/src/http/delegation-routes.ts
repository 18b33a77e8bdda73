// /v1/tenant/delegations: permissions that one person lends another for a while.
import { endDelegation, lend, listDelegations } from '../permissions/delegations.ts'
import type { ModulesOf } from '../permissions/tenant-modules.ts'
import { requireUncut } from '../permissions/tenant-permissions.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { delegationShape, type NewDelegationBody, newDelegationBody } from './access-schemas.ts'
import type { Instance } from './create-instance.ts'
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
    ...atRung(ladder.located, async (stage, request) => {
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
    ...atRung(ladder.located, async (stage, request, reply) => {
      const body = request.body as NewDelegationBody
      const delegation = await lend(runControl, modulesOf(stage.tenant), stage, body)
      return reply.code(201).header('location', `/v1/tenant/delegations`).send(delegation)
    }),
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
