// SAML of a tenant: how it is set up, what its provider is told of us, and the way back from it.
import { errors } from '../errors.ts'
import { certificateIn, readMetadata } from '../identity/sso/saml/read-metadata.ts'
import { longestSamlResponse, type SamlProvider } from '../identity/sso/saml/saml-provider.ts'
import type { SignInFlow } from '../identity/sso/sign-in-flow.ts'
import { mayChangeSso, type SamlSettings, type SsoConnections } from '../tenants/sso/connection.ts'
import { browserCookie } from './browser-cookie.ts'
import type { Instance } from './create-instance.ts'
import { etagOf, ifMatch } from './etag.ts'
import { atRung, type Ladder } from './ladder.ts'
import { landedQuery, type SamlBody, type SamlForm, samlBody, samlForm, samlTenant } from './saml-schemas.ts'
import { problemResponses, signedIn, tenantHeader } from './schemas.ts'
import { connectionShape } from './sso-schemas.ts'
import { connectionView } from './sso-view.ts'

export interface SamlParts {
  readonly connections: SsoConnections
  readonly saml: SamlProvider
  readonly flow: SignInFlow
  readonly publicUrl: string
  readonly redirectUri: string
  /** Hosts that the operator lets be reached without TLS. */
  readonly plainHosts: readonly string[]
}

const base = '/v1/auth/sso/saml'
/** A form around what it bears: percent signs, and a few fields that we do not read. */
const formLimit = Math.ceil(longestSamlResponse * 1.2)

const required = (field: string) => {
  const message = 'is required where there is no metadata'
  return errors.validation({ errors: [{ field, code: 'REQUIRED', message }] })
}
const wrong = (field: string, message: string) =>
  errors.validation({ errors: [{ field, code: 'INVALID', message }] })

/** From the metadata, or from the fields. @throws VALIDATION_FAILED */
function describedIn(
  body: SamlBody,
  plainHosts: readonly string[],
): { readonly issuer: string } & Pick<SamlSettings, 'entryPoint' | 'certificates'> {
  const { metadata, issuer, entryPoint, certificates } = body
  if (metadata !== undefined && (issuer ?? entryPoint ?? certificates) !== undefined)
    throw wrong('metadata', 'is instead of issuer, entryPoint and certificates')
  const found =
    metadata === undefined
      ? {
          issuer: issuer ?? '',
          entryPoint: entryPoint ?? '',
          certificates: certificates ?? [],
        }
      : readMetadata(metadata)
  const field = (name: string) => (metadata === undefined ? name : 'metadata')
  if (metadata === undefined)
    for (const name of ['issuer', 'entryPoint', 'certificates'] as const)
      if (body[name] === undefined) throw required(name)
  if (found.issuer === '' || found.issuer.length > 500)
    throw wrong(field('issuer'), 'has no entity id that can be used')
  const url = URL.canParse(found.entryPoint) ? new URL(found.entryPoint) : undefined
  if (
    !url ||
    found.entryPoint.length > 1_000 ||
    (url.protocol !== 'https:' && !(url.protocol === 'http:' && plainHosts.includes(url.host)))
  )
    throw wrong(field('entryPoint'), 'must send people to an https address')
  if (found.certificates.length === 0 || found.certificates.length > 10)
    throw wrong(field('certificates'), 'must have one certificate to sign with, and 10 at most')
  return {
    issuer: found.issuer,
    entryPoint: url.href,
    certificates: found.certificates.map((one) => certificateIn(field('certificates'), one)),
  }
}

export function samlRoutes(kernel: Instance, ladder: Ladder, parts: SamlParts): void {
  settingRoute(kernel, ladder, parts)
  // An instance of its own: it alone understands forms.
  void kernel.register(async (child) => signInRoutes(child as Instance, ladder, parts))
}

function settingRoute(app: Instance, ladder: Ladder, parts: SamlParts): void {
  app.route({
    method: 'PUT',
    url: '/v1/tenant/sso/saml',
    schema: {
      tags: ['Single sign-on'],
      headers: tenantHeader,
      summary: 'Connect the tenant to an identity provider (SAML 2.0)',
      body: samlBody,
      response: { 200: connectionShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayChangeSso(stage)
      const { versions } = ifMatch(request)
      const {
        metadata: _,
        issuer: _issuer,
        entryPoint: _entry,
        certificates: _certs,
        ...body
      } = request.body as SamlBody
      const { issuer, ...described } = describedIn(request.body as SamlBody, parts.plainHosts)
      const { emailAttribute, nameAttribute, ...rest } = body
      const settings = {
        justInTime: false,
        defaultRole: 'member' as const,
        groupRoles: {},
        enforced: false,
        // SAML has no mark for it.
        acceptUnmarkedEmail: false,
        ...rest,
        issuer,
        saml: {
          ...described,
          ...(emailAttribute !== undefined && { emailAttribute }),
          ...(nameAttribute !== undefined && { nameAttribute }),
        },
      }
      const connection = await parts.connections.set(stage, settings, undefined, versions)
      return reply.header('etag', etagOf(connection)).send(connectionView(connection, stage.tenant.id, parts))
    }),
  })
}

function signInRoutes(app: Instance, ladder: Ladder, { flow, saml, publicUrl }: SamlParts): void {
  const common = { tags: ['Identity'], security: [] }
  const elsewhere = { description: 'Go on there.', type: 'null' }
  const tenantOf = (params: unknown) => (params as { tenant: string }).tenant

  app.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body))),
  )
  app.route({
    method: 'GET',
    url: `${base}/:tenant/metadata`,
    schema: {
      ...common,
      summary: 'What a SAML provider is to know of us: metadata of the service provider that a tenant is',
      params: samlTenant,
      response: {
        200: {
          description: 'XML.',
          content: { 'application/samlmetadata+xml': { schema: { type: 'string' } } },
        },
        ...problemResponses,
      },
    },
    ...atRung(ladder.arrived, async (_arrival, request, reply) => {
      // Made of the id alone: whether there is such a tenant, it does not tell.
      void reply.header('content-type', 'application/samlmetadata+xml; charset=utf-8')
      return reply.serializer(String).send(await saml.metadataOf(tenantOf(request.params)))
    }),
  })
  app.route({
    method: 'POST',
    url: `${base}/:tenant/acs`,
    bodyLimit: formLimit,
    schema: {
      ...common,
      summary: 'Where a SAML provider sends its answer to',
      consumes: ['application/x-www-form-urlencoded'],
      params: samlTenant,
      body: samlForm,
      response: { 303: elsewhere, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (_arrival, request, reply) => {
      const { SAMLResponse: response, RelayState: relayState } = request.body as SamlForm
      const state = await flow.answered(tenantOf(request.params), { response, relayState })
      // By a GET of the browser's own, which brings the cookie along.
      return reply
        .header('cache-control', 'no-store')
        .redirect(`${publicUrl}${base}/landed?state=${state}`, 303)
    }),
  })
  app.route({
    method: 'GET',
    url: `${base}/landed`,
    schema: {
      ...common,
      summary: 'Back from a SAML provider: a session, or on to the client with a ticket for one',
      querystring: landedQuery,
      response: { 200: signedIn, 302: elsewhere, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      const { state } = request.query as { state?: string }
      const browser = browserCookie(publicUrl).read(request.headers.cookie)
      const result = await flow.arrive(arrival, { state, browser })
      void reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')
      if ('token' in result) return result
      return reply.redirect(publicUrl + result.returnTo, 302)
    }),
  })
}
