// /v1/tenant/domains: the tenant's own domains. /v1/me/default-tenant: which tenant a person enters unasked.
import type { FastifyRequest } from 'fastify'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { defaultTenant, setDefaultTenant } from '../tenants/default-tenant.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import type { TenantDomain, TenantDomains } from '../tenants/tenant-domains.ts'
import type { Instance } from './create-instance.ts'
import {
  type DefaultTenantBody,
  type DomainBody,
  defaultTenantBody,
  defaultTenantShape,
  domainBody,
  domainShape,
} from './domain-schemas.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, type PageQuery, pageQuery, problemResponses, tenantHeader } from './schemas.ts'

const domainOf = (request: FastifyRequest): string => (request.params as { domain: string }).domain

export function domainRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly domains: TenantDomains
    readonly directory: TenantDirectory
    readonly runControl: RunControl
  },
): void {
  const { domains, directory, runControl } = parts
  const tags = ['Tenants']
  const headers = tenantHeader

  app.route({
    method: 'GET',
    url: '/v1/tenant/domains',
    schema: {
      tags,
      headers,
      summary: "The tenant's own domains, and the record that each must have",
      querystring: pageQuery,
      response: { 200: listOf(domainShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      requireTenantPermission(stage, 'tenant.domains.manage')
      const { limit, cursor } = request.query as PageQuery
      return domains.list(stage.tenant.id, {
        limit: Number(limit ?? 50),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/domains',
    schema: {
      tags,
      headers,
      summary: 'Say that a domain is yours; the answer has the record that shows it',
      body: domainBody,
      response: { 201: domainShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      requireTenantPermission(stage, 'tenant.domains.manage')
      return keep(
        (run) => domains.add(stage, (request.body as DomainBody).domain, run),
        (body: TenantDomain) => ({ status: 201, location: '/v1/tenant/domains', body }),
      )
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/domains/:domain/verify',
    schema: {
      tags,
      headers,
      summary: 'Have DNS asked for the record; from then on the domain names this tenant',
      response: { 200: domainShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      requireTenantPermission(stage, 'tenant.domains.manage')
      return keep(
        (run) => domains.verify(stage, domainOf(request), run),
        (body: TenantDomain) => ({ body }),
      )
    }),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tenant/domains/:domain',
    schema: {
      tags,
      headers,
      summary: 'Give a domain up',
      response: { 204: { description: 'Given up.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.domains.manage')
      await domains.remove(stage, domainOf(request))
      return reply.code(204).send()
    }),
  })

  app.route({
    method: 'GET',
    url: '/v1/me/default-tenant',
    schema: {
      tags,
      summary: 'The tenant you enter when a request names none',
      response: { 200: defaultTenantShape, ...problemResponses },
    },
    ...atRung(ladder.identified, async (stage) => defaultTenant(directory, stage)),
  })
  app.route({
    method: 'PUT',
    url: '/v1/me/default-tenant',
    schema: {
      tags,
      summary: 'Choose it',
      body: defaultTenantBody,
      response: { 200: defaultTenantShape, ...problemResponses },
    },
    ...atRung(ladder.identified, async (stage, request) =>
      setDefaultTenant(parts, stage, (request.body as DefaultTenantBody).tenant),
    ),
  })
}
