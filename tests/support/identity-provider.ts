// A real identity provider on loopback (the package oidc-provider) in which everybody is signed in at once as whoever the
// test says, and the steps of a browser between it and a kernel.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import Provider, { type JWKS } from 'oidc-provider'
import type { Kernel } from '../../kernel/src/kernel.ts'
import { cookieOf } from './cookie-of.ts'
import type { Reply } from './kernel.ts'
import { publicUrl } from './public-url.ts'

interface Ending {
  teardown(work: () => Promise<void>): void
}

export interface Person {
  readonly sub: string
  readonly email: string
  readonly email_verified?: boolean
  readonly name?: string
  readonly groups?: readonly string[]
}

export interface IdentityProvider {
  readonly issuer: string
  /** As PLINTH_FETCH_PLAIN_HOSTS takes it. */
  readonly host: string
  readonly clientId: string
  readonly clientSecret: string
  /** Who is before the screen. */
  person: Person
}

export { publicUrl }

export async function startIdentityProvider(t: Ending): Promise<IdentityProvider> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const idp: IdentityProvider = {
    issuer: `http://${host}`,
    host,
    clientId: 'plinth',
    clientSecret: 'a secret of the client that is long',
    person: { sub: 'nobody', email: 'nobody@example.com' },
  }
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const jwks = { keys: [{ ...(await exportJWK(privateKey)), kid: 'rs', alg: 'RS256', use: 'sig' }] } as JWKS
  const provider = new Provider(idp.issuer, {
    jwks,
    clients: [
      {
        client_id: idp.clientId,
        client_secret: idp.clientSecret,
        redirect_uris: [`${publicUrl}/v1/auth/sso/callback`],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    // Claims of the scopes are told by userinfo alone, as the specification has it.
    conformIdTokenClaims: true,
    pkce: { required: () => true },
    cookies: { keys: ['a key for tests'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ ...idp.person, sub }) }),
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc
      const grant = new ctx.oidc.provider.Grant({
        ...(client && { clientId: client.clientId }),
        ...(session?.accountId !== undefined && { accountId: session.accountId }),
      })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void answer(request, response)
    const result = { login: { accountId: idp.person.sub } }
    provider
      .interactionFinished(request, response, result)
      .catch((error: unknown) => response.destroy(error as Error))
  })
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return idp
}

/** Through the provider's pages until it sends the browser back to the kernel: that URL. */
export async function walkBack(from: string): Promise<URL> {
  const jar = new Map<string, string>()
  let url = new URL(from)
  for (let steps = 0; steps < 10; steps += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
      jar.set(name, value)
    }
    const location = response.headers.get('location')
    if (location === null)
      throw new Error(`no way on from ${url}: ${response.status} ${await response.text()}`)
    url = new URL(location, url)
    if (url.href.startsWith(publicUrl)) return url
  }
  throw new Error('the provider goes in circles')
}

const asReply = (reply: Awaited<ReturnType<Kernel['inject']>>): Reply => ({
  status: reply.statusCode,
  body: reply.body === '' ? {} : reply.json(),
  headers: reply.headers,
})

/** All of a sign-in in one browser; `query` says for whom. */
export async function signInAt(kernel: Pick<Kernel, 'inject'>, query: string): Promise<Reply> {
  const started = await kernel.inject({ method: 'GET', url: `/v1/auth/sso/start?${query}` })
  if (started.statusCode !== 302) return asReply(started)
  const back = await walkBack(String(started.headers.location))
  const cookie = cookieOf(started.headers)
  return asReply(
    await kernel.inject({ method: 'GET', url: back.pathname + back.search, headers: { cookie } }),
  )
}
