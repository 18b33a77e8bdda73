// A real identity provider of SAML on loopback (the package samlify) that signs in at once whoever the test says, and the
// steps of a browser between it and a kernel.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Kernel } from '../../kernel/src/kernel.ts'
import { cookieOf } from './cookie-of.ts'
import type { Person } from './identity-provider.ts'
import type { Reply } from './kernel.ts'
import { publicUrl } from './public-url.ts'
import { makeSamlKeys, type SamlKeys } from './saml-keys.ts'
import { asResponse, type SamlClaims } from './saml-response.ts'

interface Ending {
  teardown(work: () => Promise<void>): void
}

/** What is used of it: its own types bring those of a browser along, for the whole program. */
interface Samlify {
  readonly Constants: {
    readonly namespace: { readonly binding: { readonly redirect: string; readonly post: string } }
  }
  setSchemaValidator(validator: { validate(xml: string): Promise<string> }): void
  ServiceProvider(settings: { readonly metadata: string }): object
  IdentityProvider(settings: object): {
    getMetadata(): string
    parseLoginRequest(
      sp: object,
      binding: 'redirect',
      request: { readonly query: Readonly<Record<string, string>> },
    ): Promise<{ readonly extract: { readonly request: { readonly id: string } } }>
    createLoginResponse(
      sp: object,
      request: object,
      binding: 'post',
      user: object,
      options: { readonly customTagReplacement: (template: string) => { id: string; context: string } },
    ): Promise<{ readonly context: string }>
  }
}

const samlify = createRequire(import.meta.url)('samlify') as Samlify

export interface SamlIdentityProvider {
  readonly entityId: string
  readonly entryPoint: string
  /** As PLINTH_FETCH_PLAIN_HOSTS takes it. */
  readonly host: string
  readonly metadata: string
  readonly keys: SamlKeys
  /** Metadata of the kernel, as its administrator has registered it. */
  serviceProvider: string
  /** Who is before the screen. */
  person: Person
}

export async function startSamlIdentityProvider(t: Ending): Promise<SamlIdentityProvider> {
  const keys = await makeSamlKeys()
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const entityId = `http://${host}/metadata`
  const entryPoint = `http://${host}/sso`
  samlify.setSchemaValidator({ validate: async () => 'not here' })
  const { binding } = samlify.Constants.namespace
  const provider = samlify.IdentityProvider({
    entityID: entityId,
    signingCert: keys.certificate,
    privateKey: keys.privateKey,
    requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    singleSignOnService: [
      { Binding: binding.redirect, Location: entryPoint },
      { Binding: binding.post, Location: entryPoint },
    ],
    loginResponseTemplate: { context: '<any/>', attributes: [] },
  })
  const idp: SamlIdentityProvider = {
    entityId,
    entryPoint,
    host,
    metadata: provider.getMetadata(),
    keys,
    serviceProvider: '',
    person: { sub: 'nobody', email: 'nobody@example.com' },
  }

  async function answer(query: Readonly<Record<string, string>>): Promise<string> {
    const sp = samlify.ServiceProvider({ metadata: idp.serviceProvider })
    const request = await provider.parseLoginRequest(sp, 'redirect', { query })
    const audience = /entityID="([^"]+)"/.exec(idp.serviceProvider)?.[1] ?? ''
    const { sub, email, name, groups = [] } = idp.person
    const claims: SamlClaims = {
      issuer: entityId,
      requestId: request.extract.request.id,
      audience,
      acs: `${audience}/acs`,
      nameId: sub,
      attributes: { email: [email], groups, ...(name !== undefined && { displayName: [name] }) },
    }
    const customTagReplacement = () => ({
      id: `_${randomBytes(8).toString('hex')}`,
      context: asResponse(claims),
    })
    const { context } = await provider.createLoginResponse(sp, request, 'post', {}, { customTagReplacement })
    return context
  }

  server.on('request', (request, response) => {
    const query = Object.fromEntries(new URL(request.url ?? '', idp.entryPoint).searchParams)
    answer(query).then(
      (context) => {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ SAMLResponse: context, RelayState: query['RelayState'] }))
      },
      (error: unknown) => {
        response.writeHead(500).end(String(error))
      },
    )
  })
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return idp
}

const asReply = (reply: Awaited<ReturnType<Kernel['inject']>>): Reply => ({
  status: reply.statusCode,
  body: /json/.test(String(reply.headers['content-type'])) ? reply.json() : {},
  headers: reply.headers,
})

type Enter = Pick<Kernel, 'inject'>

export interface PostedForm {
  readonly SAMLResponse: string
  readonly RelayState?: string
}

/** To the provider: its form, and the cookie of the browser. */
export async function walkToSamlProvider(
  kernel: Enter,
  query: string,
): Promise<{ readonly form: PostedForm; readonly cookie: string; readonly url: URL }> {
  const started = await kernel.inject({ method: 'GET', url: `/v1/auth/sso/start?${query}` })
  const url = new URL(String(started.headers.location))
  const page = await fetch(url)
  if (!page.ok) throw new Error(await page.text())
  return { form: (await page.json()) as PostedForm, cookie: cookieOf(started.headers), url }
}

/** From the provider's page: the form is posted without a cookie, as browsers do between sites, and the rest with it. */
export async function postBack(
  kernel: Enter,
  tenantId: string,
  form: PostedForm,
  cookie: string,
): Promise<Reply> {
  const posted = await kernel.inject({
    method: 'POST',
    url: `/v1/auth/sso/saml/${tenantId}/acs`,
    headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.example' },
    payload: new URLSearchParams({ ...form }).toString(),
  })
  if (posted.statusCode !== 303) return asReply(posted)
  const url = String(posted.headers.location).slice(publicUrl.length)
  return asReply(await kernel.inject({ method: 'GET', url, headers: { cookie } }))
}

/** All of a sign-in in one browser. */
export async function signInBySaml(
  kernel: Enter,
  tenant: { readonly id: string; readonly slug: string },
): Promise<Reply> {
  const { form, cookie } = await walkToSamlProvider(kernel, `tenant=${tenant.slug}`)
  return postBack(kernel, tenant.id, form, cookie)
}
