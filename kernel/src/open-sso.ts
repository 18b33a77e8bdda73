// The parts of single sign-on, put together beside kernel.ts and open-parts.ts.
import type { Config } from './config.ts'
import { allStand, type DefencesOff } from './defences.ts'
import { createOidcClient } from './identity/sso/oidc-client.ts'
import { createSamlProvider } from './identity/sso/saml/saml-provider.ts'
import { createSignInFlow } from './identity/sso/sign-in-flow.ts'
import { createSignInFlows } from './identity/sso/sign-in-flows.ts'
import type { Cradle } from './open-parts.ts'
import { createSeal } from './outside/seal.ts'
import type { ModulesOf } from './permissions/tenant-modules.ts'
import { createAskChallenge } from './tenants/dns-challenge.ts'
import { admit } from './tenants/sso/admit.ts'
import { createSsoConnections } from './tenants/sso/connection.ts'
import { createSsoDomains } from './tenants/sso/domains.ts'

export function openSso(
  parts: {
    readonly config: Config
    readonly cradle: Cradle
    readonly redirectUri: string
    readonly modulesOf: ModulesOf
  },
  off: DefencesOff = allStand,
) {
  const { config, cradle, redirectUri, modulesOf } = parts
  const { pool, runControl, fetcher, sessions, secret, directory, log } = cradle
  const seal = createSeal(secret, 'single sign-on')
  const connections = createSsoConnections({ runControl, seal, modulesOf, off })
  const oidc = createOidcClient({ fetcher, plainHosts: config.plainHosts })
  const saml = createSamlProvider({ publicUrl: config.publicUrl }, off)
  return {
    connections,
    saml,
    domains: createSsoDomains({ pool, runControl, askChallenge: createAskChallenge(config.dnsServers), log }),
    oidc,
    flow: createSignInFlow(
      {
        runControl,
        connections,
        oidc,
        saml,
        admit: (tx, to, vouched) => admit(tx, to, vouched, off),
        async manifestsOf(tenantId) {
          const tenant = await directory.find(tenantId)
          return tenant ? modulesOf(tenant) : []
        },
        sessions,
        flows: createSignInFlows(runControl, seal),
        redirectUri,
        log,
      },
      off,
    ),
  }
}
