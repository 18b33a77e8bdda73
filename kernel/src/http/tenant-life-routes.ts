// What owners and admins do to the tenant itself: what it is called, who owns it, and its end.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import { requireTenantPermission, requireUncut } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import {
  type Changer,
  changeProfile,
  closeTenant,
  reopenTenant,
  transferOwnership,
} from '../tenants/change-tenant.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { TenantExports } from '../tenants/export-tenant.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import type { Instance } from './create-instance.ts'
import { ifMatch, sendRecord } from './etag.ts'
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

/** Only an owner ends a tenant, or hands it over: with all of his rights, not a part of them. @throws FORBIDDEN, SCOPE_REQUIRED */
function requireOwner(stage: Located, permission: 'tenant.close' | 'tenant.ownership.transfer'): void {
  requireUncut(stage)
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
    ...atRung(ladder.anyState, async (stage, request, reply) => {
      requireOwner(stage, 'tenant.ownership.transfer')
      await transferOwnership(runControl, stage, (request.body as OwnershipBody).userId)
      return answer(stage, request, reply)
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
    ...atRung(ladder.anyState, async (stage, request, reply) => {
      requireOwner(stage, 'tenant.close')
      const { confirm, reason } = request.body as CloseBody
      if (confirm !== stage.tenant.slug) {
        const message = `must be '${stage.tenant.slug}': everything of this tenant is going to be deleted.`
        throw errors.validation({ errors: [{ field: 'confirm', code: 'INVALID', message }] })
      }
      await closeTenant(runControl, changer(stage, request), stage.tenant.id, {
        days: parts.closingDays,
        reason,
      })
      return answer(stage, request, reply)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/reopen',
    schema: { tags, headers, summary: 'Take the closing back, before the erasure', response },
    ...atRung(ladder.anyState, async (stage, request, reply) => {
      requireOwner(stage, 'tenant.close')
      await reopenTenant(runControl, changer(stage, request), stage.tenant.id)
      return answer(stage, request, reply)
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
