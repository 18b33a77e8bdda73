// /v1/tenant/sso: the tenant's identity provider and the e-mail domains it speaks for.
import { errors } from '../errors.ts'
import type { OidcClient } from '../identity/sso/oidc-client.ts'
import { isProviderRefusal } from '../identity/sso/provider-refusal.ts'
import type { SamlProvider } from '../identity/sso/saml/saml-provider.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { mayChangeSso, type SsoConnections } from '../tenants/sso/connection.ts'
import type { SsoDomain, SsoDomains } from '../tenants/sso/domains.ts'
import type { Instance } from './create-instance.ts'
import { etagOf, ifMatch, sendRecord } from './etag.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, problemResponses, tenantHeader } from './schemas.ts'
import {
  type ConnectionBody,
  connectionBody,
  connectionShape,
  type SsoDomainBody,
  ssoDomainBody,
  ssoDomainShape,
} from './sso-schemas.ts'
import { connectionView } from './sso-view.ts'

export function ssoRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly connections: SsoConnections
    readonly domains: SsoDomains
    readonly oidc: Pick<OidcClient, 'discover'>
    readonly redirectUri: string
    readonly saml: Pick<SamlProvider, 'addressesOf'>
    readonly runControl: RunControl
  },
): void {
  const { connections, domains, oidc, runControl } = parts
  const url = '/v1/tenant/sso'
  const common = { tags: ['Single sign-on'], headers: tenantHeader }
  const done = { 204: { description: 'Done.', type: 'null' }, ...problemResponses }
  const domainOf = (params: unknown) => (params as { domain: string }).domain

  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: 'How people sign in at their own identity provider',
      response: { 200: connectionShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) =>
      sendRecord(request, reply, connectionView(await connections.get(stage), stage.tenant.id, parts)),
    ),
  })
  app.route({
    method: 'PUT',
    url,
    schema: {
      ...common,
      summary: 'Connect the tenant to an identity provider (OpenID Connect)',
      body: connectionBody,
      response: { 200: connectionShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayChangeSso(stage)
      const { versions } = ifMatch(request)
      const { clientSecret, ...body } = request.body as ConnectionBody
      const { issuer, clientId } = body
      // A typing error is told now, and not to the first person who signs in.
      await oidc
        .discover({
          tenantId: stage.tenant.id,
          issuer,
          clientId,
          // Which is not sent for that.
          clientSecret: clientSecret ?? 'as before',
        })
        .catch((error: unknown) => {
          throw isProviderRefusal(error) ? errors.ssoIssuerRefused({ issuer, reason: error.message }) : error
        })
      const settings = {
        justInTime: false,
        defaultRole: 'member' as const,
        groupRoles: {},
        acceptUnmarkedEmail: false,
        enforced: false,
        ...body,
      }
      const connection = await connections.set(stage, settings, clientSecret, versions)
      return reply.header('etag', etagOf(connection)).send(connectionView(connection, stage.tenant.id, parts))
    }),
  })
  app.route({
    method: 'DELETE',
    url,
    schema: { ...common, summary: 'Disconnect the identity provider', response: done },
    ...atRung(ladder.located, async (stage, _request, reply) => {
      await connections.remove(stage)
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'GET',
    url: `${url}/domains`,
    schema: {
      ...common,
      summary: 'E-mail domains the identity provider speaks for, 50 at most',
      response: { 200: listOf(ssoDomainShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage) => ({ items: await domains.list(stage) })),
  })
  app.route({
    method: 'POST',
    url: `${url}/domains`,
    schema: {
      ...common,
      summary: 'Add an e-mail domain; a TXT record then shows that it is yours',
      body: ssoDomainBody,
      response: { 201: ssoDomainShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) =>
      keep(
        (run) => domains.add(stage, (request.body as SsoDomainBody).domain, run),
        (body: SsoDomain) => ({ status: 201, location: `${url}/domains`, body }),
      ),
    ),
  })
  app.route({
    method: 'POST',
    url: `${url}/domains/:domain/verify`,
    schema: {
      ...common,
      summary: 'Look for the TXT record of a domain',
      response: { 200: ssoDomainShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) =>
      keep(
        (run) => domains.verify(stage, domainOf(request.params), run),
        (body: SsoDomain) => ({ body }),
      ),
    ),
  })
  app.route({
    method: 'DELETE',
    url: `${url}/domains/:domain`,
    schema: { ...common, summary: 'Remove an e-mail domain', response: done },
    ...atRung(ladder.located, async (stage, request, reply) => {
      await domains.remove(stage, domainOf(request.params))
      return reply.code(204).send()
    }),
  })
}
