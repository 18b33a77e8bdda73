// The parts of single sign-on, put together beside kernel.ts and open-parts.ts.
import type { Config } from './config.ts'
import { allStand, type DefencesOff } from './defences.ts'
import { createOidcClient } from './identity/sso/oidc-client.ts'
import { createSignInFlow } from './identity/sso/sign-in-flow.ts'
import type { Cradle } from './open-parts.ts'
import { createSeal } from './outside/seal.ts'
import { createAskChallenge } from './tenants/dns-challenge.ts'
import { admit } from './tenants/sso/admit.ts'
import { createSsoConnections } from './tenants/sso/connection.ts'
import { createSsoDomains } from './tenants/sso/domains.ts'

export function openSso(
  parts: { readonly config: Config; readonly cradle: Cradle; readonly redirectUri: string },
  off: DefencesOff = allStand,
) {
  const { config, cradle, redirectUri } = parts
  const { pool, runControl, fetcher, sessions, secret, log } = cradle
  const seal = createSeal(secret, 'single sign-on')
  const connections = createSsoConnections(runControl, seal)
  const oidc = createOidcClient({ fetcher, plainHosts: config.plainHosts })
  return {
    connections,
    domains: createSsoDomains({ pool, runControl, askChallenge: createAskChallenge(config.dnsServers), log }),
    oidc,
    flow: createSignInFlow(
      {
        runControl,
        connections,
        oidc,
        admit: (tx, to, vouched) => admit(tx, to, vouched, off),
        sessions,
        seal,
        redirectUri,
        log,
      },
      off,
    ),
  }
}
