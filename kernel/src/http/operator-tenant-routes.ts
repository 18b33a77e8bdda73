// /v1/operator/tenants: every tenant of the installation, and what can be done to one from above.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type pg from 'pg'
import { auditedBy } from '../audit/write-audit.ts'
import type { ModulePlugins } from '../entitlements/switch-module.ts'
import type { Operated } from '../stages.ts'
import {
  type Changer,
  changeProfile,
  changeState,
  closeTenant,
  endTenant,
  reopenTenant,
} from '../tenants/change-tenant.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import { type Erasures, receiptIn } from '../tenants/erase-tenants.ts'
import { appointOwner, type InviteOwner } from '../tenants/invite-owner.ts'
import { getTenant, listTenants, tenantRecordIn } from '../tenants/list-tenants.ts'
import { provisionTenant } from '../tenants/provision-tenant.ts'
import type { Instance } from './create-instance.ts'
import { etagOf, ifMatch, sendRecord } from './etag.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, problemResponses } from './schemas.ts'
import {
  type ConfirmBody,
  confirmBody,
  type OperatorCloseBody,
  type OperatorProfileBody,
  type OperatorTenantBody,
  type OwnerBody,
  operatorCloseBody,
  operatorProfileBody,
  operatorTenantBody,
  ownerBody,
  receiptShape,
  type StateBody,
  stateBody,
  type TenantsQuery,
  tenantRecordShape,
  tenantsQuery,
} from './tenant-life-schemas.ts'
import { tenantRateRoutes } from './tenant-rate-routes.ts'

const tags = ['Operator']
const nameOf = (request: FastifyRequest): string => (request.params as { tenant: string }).tenant

export function operatorTenantRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly pool: pg.Pool
    readonly runControl: RunControl
    readonly plugins: ModulePlugins
    readonly closingDays: number
    readonly erasures: Pick<Erasures, 'wake' | 'receipt'>
    readonly inviteOwner: InviteOwner | undefined
  },
): void {
  const { pool, runControl } = parts
  const response = { 200: tenantRecordShape, ...problemResponses }

  const by = (stage: Operated, request: FastifyRequest): Changer => ({
    by: auditedBy(stage),
    ...ifMatch(request),
  })
  const answer = async (id: string, request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
    sendRecord(request, reply, await getTenant(pool, id))

  tenantRateRoutes(app, ladder, { runControl, idOf: async (name) => (await getTenant(pool, name)).id })
  const recordIn = async (tx: ControlTransaction, id: string) => {
    const body = await tenantRecordIn(tx, id)
    return { body, etag: etagOf(body) }
  }

  /** A change of the tenant that the path names, and the tenant as it then is. */
  const changing = (
    schema: object,
    change: (run: RunControl, by: Changer, id: string, body: unknown) => Promise<void>,
    method: 'POST' | 'PUT' | 'PATCH' = 'POST',
  ) => ({
    method,
    schema: { tags, ...schema, response },
    ...keepingAnswer(ladder.operated, runControl, async (stage, request, keep) => {
      const { id } = await getTenant(pool, nameOf(request))
      return keep(
        (run) => change(run, by(stage, request), id, request.body),
        (_done, tx) => recordIn(tx, id),
      )
    }),
  })

  app.route({
    method: 'GET',
    url: '/v1/operator/tenants',
    schema: {
      tags,
      summary: 'Every tenant',
      querystring: tenantsQuery,
      response: { 200: listOf(tenantRecordShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) => {
      const { limit, cursor, ...filter } = request.query as TenantsQuery
      return listTenants(pool, filter, {
        limit: Number(limit ?? 50),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/tenants',
    schema: {
      tags,
      summary: 'A new tenant; its owner is invited by mail where he has no account yet',
      body: operatorTenantBody,
      response: { 201: tenantRecordShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.operated, runControl, (stage, request, keep) => {
      const { owner, ...tenant } = request.body as OperatorTenantBody
      const provisioner = { by: auditedBy(stage), owner, invite: parts.inviteOwner }
      return keep(
        (run) => provisionTenant(run, provisioner, tenant, parts.plugins),
        async (id: string, tx) => ({
          status: 201,
          location: `/v1/operator/tenants/${id}`,
          ...(await recordIn(tx, id)),
        }),
      )
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/operator/tenants/:tenant',
    schema: { tags, summary: 'One tenant, by slug or id', response },
    ...atRung(ladder.operated, async (_stage, request, reply) => answer(nameOf(request), request, reply)),
  })
  app.route({
    url: '/v1/operator/tenants/:tenant',
    ...changing(
      { summary: 'Change its plan, or what it says of itself', body: operatorProfileBody },
      (run, by, id, body) => changeProfile(run, by, id, body as OperatorProfileBody),
      'PATCH',
    ),
  })
  app.route({
    url: '/v1/operator/tenants/:tenant/state',
    ...changing(
      { summary: 'Move it to another state; see docs/tenants.md', body: stateBody },
      (run, by, id, body) => {
        const { state, reason } = body as StateBody
        return changeState(run, by, id, state, reason)
      },
      'PUT',
    ),
  })
  app.route({
    url: '/v1/operator/tenants/:tenant/owner',
    ...changing(
      { summary: 'Name the owner of a tenant that has none; a link from before is over', body: ownerBody },
      (run, { by }, id, body) => appointOwner(run, by, id, (body as OwnerBody).email, parts.inviteOwner),
    ),
  })
  app.route({
    url: '/v1/operator/tenants/:tenant/close',
    ...changing(
      { summary: 'Close it: read-only until its erasure', body: operatorCloseBody },
      async (run, by, id, body) => {
        const { days = parts.closingDays, reason } = body as OperatorCloseBody
        await closeTenant(run, by, id, { days, reason })
        if (days === 0) parts.erasures.wake()
      },
    ),
  })
  app.route({
    url: '/v1/operator/tenants/:tenant/reopen',
    ...changing({ summary: 'Take its closing back' }, (run, by, id) => reopenTenant(run, by, id)),
  })
  app.route({
    method: 'POST',
    url: '/v1/operator/tenants/:tenant/erase',
    schema: {
      tags,
      summary: 'Erase a tenant that is closing now; there is no way back',
      body: confirmBody,
      response: { 202: receiptShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.operated, runControl, async (stage, request, keep) => {
      const { id } = await getTenant(pool, nameOf(request))
      const { confirm } = request.body as ConfirmBody
      return keep(
        async (run) => {
          await endTenant(run, by(stage, request), id, confirm)
          parts.erasures.wake()
        },
        async (_done, tx) => ({
          status: 202,
          location: `/v1/operator/tenants/${id}/receipt`,
          body: await receiptIn(tx, id),
        }),
      )
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/operator/tenants/:tenant/receipt',
    schema: {
      tags,
      summary: 'What was erased of a tenant; it stays',
      response: { 200: receiptShape, ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) =>
      parts.erasures.receipt((await getTenant(pool, nameOf(request))).id),
    ),
  })
}
