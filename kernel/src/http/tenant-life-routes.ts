// What owners and admins do to the tenant itself: what it is called, who owns it, and its end.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { requirePerson, requireTenantPermission, requireUncut } from '../permissions/tenant-permissions.ts'
import type { Located, MembershipRole } from '../stages.ts'
import {
  type Changer,
  changeProfile,
  closeTenant,
  reopenTenant,
  transferOwnership,
} from '../tenants/change-tenant.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import type { TenantExports } from '../tenants/export-tenant.ts'
import { readTenant, type TenantDirectory } from '../tenants/tenant-directory.ts'
import type { Instance } from './create-instance.ts'
import { etagOf, ifMatch, sendRecord } from './etag.ts'
import { type Answer, keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses, tenantHeader } from './schemas.ts'
import {
  type CloseBody,
  closeBody,
  type OwnershipBody,
  ownershipBody,
  ownTenantShape,
  type ProfileBody,
  profileBody,
} from './tenant-life-schemas.ts'
import { tenantView } from './tenant-view.ts'

/**
 * Only an owner ends a tenant, or hands it over: with all of his rights, and not by a key.
 * @throws FORBIDDEN, SCOPE_REQUIRED, PERSON_REQUIRED
 */
function requireOwner(stage: Located, permission: 'tenant.close' | 'tenant.ownership.transfer'): void {
  requireUncut(stage)
  requirePerson(stage)
  if (stage.role !== 'owner') throw errors.forbidden({ permission })
}

const changer = (stage: Located, request: FastifyRequest): Changer => ({
  by: auditedBy(stage),
  ...ifMatch(request),
})

export function tenantLifeRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly directory: TenantDirectory
    readonly runControl: RunControl
    readonly exports: TenantExports
    /** Between closing and erasure. */
    readonly closingDays: number
  },
): void {
  const { directory, runControl } = parts
  const tags = ['Tenants']
  const headers = tenantHeader
  const response = { 200: ownTenantShape, ...problemResponses }

  /** As a transaction leaves it. */
  const viewIn = async ({ tenant, actor }: Located, tx: ControlTransaction): Promise<Answer> => {
    const [member] = await tx.query<{ role: MembershipRole }>(
      'SELECT role FROM kernel.membership WHERE tenant_id = $1 AND user_id = $2',
      [tenant.id, actor.id],
    )
    const body = tenantView(await readTenant(tx, tenant.id), member?.role ?? 'member')
    return { body, etag: etagOf(body) }
  }
  /** As it is after a change. */
  async function answer(stage: Located, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const tenant = (await directory.find(stage.tenant.id)) ?? stage.tenant
    const role = (await directory.roleOf(tenant.id, stage.actor.id)) ?? stage.role
    return sendRecord(request, reply, tenantView(tenant, role))
  }

  app.route({
    method: 'GET',
    url: '/v1/tenant',
    schema: { tags, headers, summary: 'The current tenant', response },
    ...atRung(ladder.anyState, async ({ tenant, role }, request, reply) =>
      sendRecord(request, reply, tenantView(tenant, role)),
    ),
  })
  app.route({
    method: 'PATCH',
    url: '/v1/tenant',
    schema: { tags, headers, summary: 'Change what the tenant says of itself', body: profileBody, response },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.profile.update')
      await changeProfile(runControl, changer(stage, request), stage.tenant.id, request.body as ProfileBody)
      return answer(stage, request, reply)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/ownership',
    schema: {
      tags,
      headers,
      summary: 'Make another member the owner in your place; you stay as an admin',
      body: ownershipBody,
      response,
    },
    ...keepingAnswer(ladder.anyState, runControl, (stage, request, keep) => {
      requireOwner(stage, 'tenant.ownership.transfer')
      const { userId } = request.body as OwnershipBody
      return keep(
        (run) => transferOwnership(run, stage, userId),
        (_done, tx) => viewIn(stage, tx),
      )
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/close',
    schema: {
      tags,
      headers,
      summary: 'Close the tenant: it can be read, exported and reopened for some days, then it is erased',
      body: closeBody,
      response,
    },
    ...keepingAnswer(ladder.anyState, runControl, (stage, request, keep) => {
      requireOwner(stage, 'tenant.close')
      const { confirm, reason } = request.body as CloseBody
      if (confirm !== stage.tenant.slug) {
        const message = `must be '${stage.tenant.slug}': everything of this tenant is going to be deleted.`
        throw errors.validation({ errors: [{ field: 'confirm', code: 'INVALID', message }] })
      }
      const closing = { days: parts.closingDays, reason }
      return keep(
        (run) => closeTenant(run, changer(stage, request), stage.tenant.id, closing),
        (_done, tx) => viewIn(stage, tx),
      )
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/reopen',
    schema: { tags, headers, summary: 'Take the closing back, before the erasure', response },
    ...keepingAnswer(ladder.anyState, runControl, (stage, request, keep) => {
      requireOwner(stage, 'tenant.close')
      return keep(
        (run) => reopenTenant(run, changer(stage, request), stage.tenant.id),
        (_done, tx) => viewIn(stage, tx),
      )
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenant/export',
    schema: {
      tags,
      headers,
      summary: 'Everything of the tenant: a gzipped tar of JSON lines; whole when manifest.json is in it',
      response: {
        200: { description: 'The archive.', type: 'string', format: 'binary' },
        ...problemResponses,
      },
    },
    ...atRung(ladder.anyState, async (stage, _request, reply) => {
      requireTenantPermission(stage, 'tenant.export')
      const archive = await parts.exports.open(stage)
      const day = new Date().toISOString().slice(0, 10)
      return reply
        .type('application/gzip')
        .header('content-disposition', `attachment; filename="${stage.tenant.slug}-${day}.tar.gz"`)
        .send(archive)
    }),
  })
}
