// /v1/tenant/service-accounts: programs as members of the tenant. Their keys are key-routes.ts's.

import type { RunControl } from '../tenants/control-transaction.ts'
import {
  changeServiceAccount,
  createServiceAccount,
  getServiceAccount,
  listServiceAccounts,
  type ServiceAccount,
} from '../tenants/service-accounts.ts'
import type { Instance } from './create-instance.ts'
import { etagOf, ifMatch, sendRecord } from './etag.ts'
import { keepingAnswer } from './keeping-answer.ts'
import {
  type NewServiceAccountBody,
  newServiceAccountBody,
  type ServiceAccountChange,
  serviceAccountChange,
  serviceAccountShape,
} from './key-schemas.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, type PageQuery, pageQuery, problemResponses, tenantHeader } from './schemas.ts'

export function serviceAccountRoutes(app: Instance, ladder: Ladder, runControl: RunControl): void {
  const url = '/v1/tenant/service-accounts'
  const common = { tags: ['Service accounts'], headers: tenantHeader }
  const idOf = (params: unknown) => (params as { id: string }).id

  app.route({
    method: 'POST',
    url,
    schema: {
      ...common,
      summary: 'Create a service account: a program as a member of this tenant',
      body: newServiceAccountBody,
      response: { 201: serviceAccountShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) =>
      keep(
        (run) => createServiceAccount(run, stage, request.body as NewServiceAccountBody),
        (body: ServiceAccount) => ({
          status: 201,
          location: `${url}/${body.id}`,
          etag: etagOf(body),
          body,
        }),
      ),
    ),
  })
  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: 'The service accounts of the tenant',
      querystring: pageQuery,
      response: { 200: listOf(serviceAccountShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      const { limit, cursor } = request.query as PageQuery
      return listServiceAccounts(runControl, stage, {
        limit: Number(limit ?? 50),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
  app.route({
    method: 'GET',
    url: `${url}/:id`,
    schema: {
      ...common,
      summary: 'One service account',
      response: { 200: serviceAccountShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) =>
      sendRecord(request, reply, await getServiceAccount(runControl, stage, idOf(request.params))),
    ),
  })
  app.route({
    method: 'PATCH',
    url: `${url}/:id`,
    schema: {
      ...common,
      summary: 'Change a service account, or deactivate it: its keys stop at once',
      body: serviceAccountChange,
      response: { 200: serviceAccountShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const { versions } = ifMatch(request)
      const change = request.body as ServiceAccountChange
      const account = await changeServiceAccount(runControl, stage, idOf(request.params), change, versions)
      return reply.header('etag', etagOf(account)).send(account)
    }),
  })
}
