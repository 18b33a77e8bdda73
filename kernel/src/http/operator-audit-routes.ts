// /v1/operator/audit: the installation's own trail, and whether any trail is as it was sealed.
import type { AuditTrail } from '../audit/audit-trail.ts'
import { aboveTenants } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import { filterOf, pageWish } from './audit-routes.ts'
import {
  anchorQuery,
  anchorShape,
  auditQuery,
  auditShape,
  type VerifyQuery,
  verificationShape,
  verifyQuery,
} from './audit-schemas.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, problemResponses } from './schemas.ts'

const tags = ['Operator']
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function operatorAuditRoutes(
  app: Instance,
  ladder: Ladder,
  { trail, directory }: { readonly trail: AuditTrail; readonly directory: TenantDirectory },
): void {
  /** A tenant that is gone still has its trail for a while, under its id. */
  async function tenantOf(name: string | undefined): Promise<string> {
    if (name === undefined) return aboveTenants
    const tenant = await directory.find(name.toLowerCase())
    if (tenant) return tenant.id
    if (uuid.test(name.toLowerCase())) return name.toLowerCase()
    throw errors.tenantNotFound({ tenant: name })
  }

  app.route({
    method: 'GET',
    url: '/v1/operator/audit',
    schema: {
      tags,
      summary: 'What was done above tenants, and how people signed in; newest first',
      querystring: auditQuery,
      response: { 200: listOf(auditShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) =>
      trail.search(aboveTenants, filterOf(request), pageWish(request)),
    ),
  })
  app.route({
    method: 'GET',
    url: '/v1/operator/audit/verification',
    schema: {
      tags,
      summary: 'Reads a whole chain and says what is not as it was sealed',
      querystring: verifyQuery,
      response: { 200: verificationShape, ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) => {
      const { tenant: name, anchor } = request.query as VerifyQuery
      const [seq = '', hash = ''] = anchor?.split(':') ?? []
      const tenant = await tenantOf(name)
      return {
        tenant,
        ...(await trail.verify(tenant, anchor === undefined ? undefined : { seq: Number(seq), hash })),
      }
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/operator/audit/anchors',
    schema: {
      tags,
      summary: 'The ends of all chains, by tenant, to be kept where the database cannot reach',
      querystring: anchorQuery,
      response: { 200: listOf(anchorShape), ...problemResponses },
    },
    ...atRung(ladder.operated, async (_stage, request) => trail.anchors(pageWish(request))),
  })
}
