// /v1/tenant/audit: what happened in the tenant, page by page or as CSV, and how its members signed in.
import type { FastifyRequest } from 'fastify'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { exportAudit, exportPage } from '../audit/export-audit.ts'
import { type ManifestOf, redactAudit } from '../audit/redact-audit.ts'
import type { AuditFilter, AuditPage } from '../audit/search-audit.ts'
import { auditedBy } from '../audit/write-audit.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import { holdsTenantPermission, requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import {
  type AuditQuery,
  anchorShape,
  auditFilters,
  auditQuery,
  auditShape,
  exportQuery,
  signInQuery,
} from './audit-schemas.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, problemResponses, tenantHeader } from './schemas.ts'

const tags = ['Audit']

/** What a query narrows by. @throws VALIDATION_FAILED for a moment that there is none of */
export function filterOf(request: FastifyRequest): AuditFilter {
  const given = Object.entries(request.query as AuditQuery).filter(([name]) =>
    Object.hasOwn(auditFilters, name),
  )
  return Object.fromEntries(
    given.map(([name, text]) => [name, name === 'from' || name === 'to' ? momentOf(name, text) : text]),
  )
}

function momentOf(field: string, text: string): string {
  const moment = new Date(text)
  // PostgreSQL knows no year 0.
  if (Number.isNaN(moment.getTime()) || moment.getUTCFullYear() < 1) {
    throw errors.validation({ errors: [{ field, code: 'INVALID', message: 'is no moment that ever was' }] })
  }
  return moment.toISOString()
}

export function pageWish(request: FastifyRequest): { limit: number; cursor?: string } {
  const { limit, cursor } = request.query as AuditQuery
  return { limit: Number(limit ?? 50), ...(cursor === undefined ? {} : { cursor }) }
}

export function auditRoutes(
  app: Instance,
  ladder: Ladder,
  parts: { readonly trail: AuditTrail; readonly runControl: RunControl; readonly manifestOf: ManifestOf },
  off: DefencesOff = allStand,
): void {
  const { trail, runControl, manifestOf } = parts

  /** As the caller may see it. */
  function shown(by: Located, page: AuditPage): AuditPage {
    if (holdsTenantPermission(by, 'tenant.audit.personal')) return page
    return { ...page, items: page.items.map((item) => redactAudit(item, manifestOf, off)) }
  }

  app.route({
    method: 'GET',
    url: '/v1/tenant/audit',
    schema: {
      tags,
      summary: 'What happened in the tenant, newest first',
      headers: tenantHeader,
      querystring: auditQuery,
      response: { 200: listOf(auditShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      requireTenantPermission(stage, 'tenant.audit.read')
      return shown(stage, await trail.search(stage.tenant.id, filterOf(request), pageWish(request)))
    }),
  })

  app.route({
    method: 'GET',
    url: '/v1/tenant/audit.csv',
    schema: {
      tags,
      summary: 'The same as CSV, a million rows at most; that it was exported is in the trail',
      headers: tenantHeader,
      querystring: exportQuery,
      response: {
        200: { description: 'RFC 4180, UTF-8.', content: { 'text/csv': { schema: { type: 'string' } } } },
        ...problemResponses,
      },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.audit.read')
      const filter = filterOf(request)
      await runControl((tx) =>
        tx.audit({
          ...auditedBy(stage),
          tenantId: stage.tenant.id,
          entity: 'audit',
          recordId: stage.tenant.id,
          action: 'exported',
          after: { filter, personal: holdsTenantPermission(stage, 'tenant.audit.personal') },
        }),
      )
      const readPage = async (cursor: string | undefined) => {
        const wish = { limit: exportPage, ...(cursor === undefined ? {} : { cursor }) }
        return shown(stage, await trail.search(stage.tenant.id, filter, wish))
      }
      return reply
        .header('content-type', 'text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="audit-${stage.tenant.slug}.csv"`)
        .send(exportAudit(readPage, off))
    }),
  })

  app.route({
    method: 'GET',
    url: '/v1/tenant/audit/anchor',
    schema: {
      tags,
      summary: 'The end of the chain: kept elsewhere, it shows later that nothing before it was taken away',
      headers: tenantHeader,
      response: { 200: anchorShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage) => {
      requireTenantPermission(stage, 'tenant.audit.read')
      const anchor = await trail.anchorOf(stage.tenant.id)
      if (!anchor) throw errors.recordNotFound({ entity: 'anchor', id: stage.tenant.slug })
      return anchor
    }),
  })

  app.route({
    method: 'GET',
    url: '/v1/tenant/sign-ins',
    schema: {
      tags,
      summary: 'How the members signed in and out, and failed to, since they are members; newest first',
      headers: tenantHeader,
      querystring: signInQuery,
      response: { 200: listOf(auditShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      requireTenantPermission(stage, 'tenant.audit.read')
      return shown(stage, await trail.signIns(stage.tenant.id, filterOf(request), pageWish(request)))
    }),
  })
}
