// OpenID Connect as a client: the code flow with PKCE and a nonce, by openid-client over our own fetch engine, so that
// an issuer that a tenant names leads nobody into the operator's network.
import { LRUCache } from 'lru-cache'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  type CustomFetch,
  calculatePKCECodeChallenge,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
} from 'openid-client'
import { isPlinthError } from '../../errors.ts'
import type { Fetcher } from '../../outside/fetcher.ts'
import { isProviderRefusal, providerRefusal } from './provider-refusal.ts'

const timeoutMs = 8_000
const keptForMs = 10 * 60_000
const kept = 500
const clockToleranceSeconds = 30

/** What a connection says of the provider. */
export interface Provider {
  readonly tenantId: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
}

export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

export type Claims = Readonly<Record<string, unknown>> & { readonly sub: string }

export interface OidcClient {
  /** Reads the provider's configuration anew. @throws ProviderRefusal */
  discover(provider: Provider): Promise<void>
  /** @throws ProviderRefusal */
  startUrl(provider: Provider, redirectUri: string, checks: Checks): Promise<URL>
  /** Claims of the verified ID token, and of userinfo where it has no address. `returned` is the URL the person came back with. @throws ProviderRefusal */
  finish(provider: Provider, returned: URL, checks: Checks): Promise<Claims>
}

/** openid-client speaks `fetch`; the engine knows no credentials beside those that are given to it. */
const fetchBy =
  (fetcher: Fetcher): CustomFetch =>
  async (url, { method, headers, body }) => {
    const content = body === undefined || body === null ? undefined : Buffer.from(String(body))
    const answer = await fetcher.fetch({
      url,
      method,
      headers: Object.entries(headers)
        .filter(([name]) => !/^(?:user-agent|content-length)$/i.test(name))
        .map(([name, value]) => ({ name, value })),
      body: content,
      bodyOnlyFor: [],
      urlOnlyFor: [],
      follow: false,
      timeoutMs,
      checkGrant: () => undefined,
    })
    const kept = Object.entries(answer.headers).filter(
      ([name]) => !/^content-(?:encoding|length)$/.test(name),
    )
    const isEmpty = [101, 204, 205, 304].includes(answer.status)
    return new Response(isEmpty ? null : new Uint8Array(answer.body), {
      status: answer.status,
      headers: kept,
    })
  }

/** The text of what went wrong that a person may see: codes of the protocol, never what was received. */
function reasonOf(error: unknown): string {
  if (isPlinthError(error)) return error.message
  if (!(error instanceof Error)) return 'it gave no reason.'
  const said = 'error' in error && typeof error.error === 'string' ? error.error : undefined
  if (said !== undefined && /^[a-z_]{1,60}$/.test(said)) return `it answered '${said}'.`
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return `its answer is not valid (${code}).`
}

export function createOidcClient(parts: {
  readonly fetcher: Fetcher
  /** Hosts that the operator lets be reached without TLS. */
  readonly plainHosts: readonly string[]
}): OidcClient {
  const request = fetchBy(parts.fetcher)
  const plain = new Set(parts.plainHosts)
  const known = new LRUCache<string, Configuration>({ max: kept, ttl: keptForMs })

  async function configure({ issuer, clientId, clientSecret }: Provider): Promise<Configuration> {
    const url = new URL(issuer)
    const methods = { basic: ClientSecretBasic(clientSecret), post: ClientSecretPost(clientSecret) }
    let posts = false
    const configuration = await discovery(
      url,
      clientId,
      { [clockTolerance]: clockToleranceSeconds },
      (server, client, body, headers) =>
        (posts ? methods.post : methods.basic)(server, client, body, headers),
      {
        timeout: timeoutMs / 1_000,
        [customFetch]: request,
        execute: [
          // Also from a token endpoint that is spoken to by TLS: the signature is what binds the token to its issuer.
          enableNonRepudiationChecks,
          ...(plain.has(url.host) ? [allowInsecureRequests] : []),
        ],
      },
    )
    const supported = configuration.serverMetadata().token_endpoint_auth_methods_supported
    posts = supported !== undefined && !supported.includes('client_secret_basic')
    configuration[customFetch] = request
    return configuration
  }

  async function configurationOf(provider: Provider): Promise<Configuration> {
    const { tenantId, issuer, clientId, clientSecret } = provider
    const key = JSON.stringify([tenantId, issuer, clientId, clientSecret])
    const found = known.get(key) ?? (await configure(provider))
    known.set(key, found)
    return found
  }

  const refusing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw isProviderRefusal(error) ? error : providerRefusal(reasonOf(error), error)
    }
  }

  return {
    discover: (provider) => refusing(async () => void (await configure(provider))),
    startUrl: (provider, redirectUri, { state, nonce, codeVerifier }) =>
      refusing(async () =>
        buildAuthorizationUrl(await configurationOf(provider), {
          redirect_uri: redirectUri,
          scope: 'openid email profile',
          state,
          nonce,
          code_challenge: await calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
        }),
      ),
    finish: (provider, returned, { state, nonce, codeVerifier }) =>
      refusing(async () => {
        const configuration = await configurationOf(provider)
        const answer = await authorizationCodeGrant(configuration, returned, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: codeVerifier,
          idTokenExpected: true,
        })
        const claims = answer.claims()
        if (!claims) throw providerRefusal('it sent no ID token.')
        const isTold = claims['email'] !== undefined
        if (isTold || configuration.serverMetadata().userinfo_endpoint === undefined) return claims
        // Many tell who somebody is there alone. What the ID token says is signed, and counts.
        return { ...(await fetchUserInfo(configuration, answer.access_token, claims.sub)), ...claims }
      }),
  }
}
