// An identity provider that says whatever the test wants: its ID tokens are made by the test.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

interface Ending {
  teardown(work: () => Promise<void>): void
}

export interface HostileProvider {
  readonly issuer: string
  readonly host: string
  /** The next answer of the token endpoint. */
  idToken: string
  /** As an honest provider would sign it. */
  sign(claims: JWTPayload): Promise<string>
}

export async function startHostileProvider(t: Ending): Promise<HostileProvider> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const server = createServer((request, response) => {
    const answers: Record<string, () => object> = {
      '/.well-known/openid-configuration': () => ({
        issuer: provider.issuer,
        authorization_endpoint: `${provider.issuer}/authorize`,
        token_endpoint: `${provider.issuer}/token`,
        jwks_uri: `${provider.issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        // It would like to be believed without a signature.
        id_token_signing_alg_values_supported: ['ES256', 'none', 'HS256'],
        authorization_response_iss_parameter_supported: true,
      }),
      '/jwks': () => ({ keys: [jwk] }),
      '/token': () => ({ access_token: 'a', token_type: 'Bearer', id_token: provider.idToken }),
    }
    const answer = answers[request.url ?? '']
    request.resume()
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer?.() ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: HostileProvider = {
    issuer: `http://${host}`,
    host,
    idToken: '',
    sign: (claims) =>
      new SignJWT({ iat: Math.floor(Date.now() / 1_000), ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .sign(privateKey),
  }
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return provider
}
