// SAML 2.0 as a service provider, one per tenant: the request by redirect, the response by POST. @node-saml/node-saml
// makes the one and checks signature, times and audience of the other; what it leaves open is checked around it.
import { randomBytes } from 'node:crypto'
import type { SAML } from '@node-saml/node-saml'
import { allStand, type DefencesOff } from '../../../defences.ts'
import type { Vouched } from '../../../tenants/sso/admit.ts'
import type { SamlSettings, SsoSettings } from '../../../tenants/sso/connection.ts'
import { isProviderRefusal, providerRefusal } from '../provider-refusal.ts'
import { checkResponse } from './check-response.ts'
import { readAssertion } from './read-assertion.ts'
import { readXml } from './read-xml.ts'

const skewMs = 60_000
/** A person in some hundred groups is named in 40 KB. */
export const responseLimits = { bytes: 262_144, elements: 3_000 }
export const longestSamlResponse = 350_000

export interface SamlAddresses {
  /** Our own name: what an assertion's audience is. */
  readonly entityId: string
  readonly acs: string
  readonly metadata: string
}

export type SamlConnection = Pick<SsoSettings, 'issuer' | 'groupClaim'> & {
  readonly tenantId: string
  readonly saml: SamlSettings
}

export interface SamlProvider {
  addressesOf(tenantId: string): SamlAddresses
  metadataOf(tenantId: string): Promise<string>
  start(
    connection: SamlConnection,
    relayState: string,
  ): Promise<{ readonly url: URL; readonly requestId: string }>
  /** `response` is what came by POST, in base64. @throws ProviderRefusal */
  finish(connection: SamlConnection, requestId: string, response: string): Promise<Vouched>
}

/** The text that was signed, refused when it is not what base64 and UTF-8 say it is. */
function decoded(response: string): string {
  if (response.length > longestSamlResponse || !/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(response))
    throw providerRefusal('its answer is not base64, or too long.')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(response, 'base64'))
  } catch (error) {
    throw providerRefusal('its answer is not UTF-8.', error)
  }
}

/** Loaded for the first tenant that uses it. */
const nodeSaml = () => import('@node-saml/node-saml')

/** What it says went wrong, for whoever has to set it right. */
const explained: readonly (readonly [RegExp, string])[] = [
  [/invalid (?:document )?signature/i, 'its answer is not signed with a certificate that is set up here.'],
  [/audience/i, 'its answer is for another service: the audience must be our entity id.'],
  [/not yet valid/i, 'its answer is not valid yet: clocks differ.'],
  [/expired|no valid subject confirmation/i, 'its answer has expired, or clocks differ.'],
]

function refusalOf(error: unknown): Error {
  if (isProviderRefusal(error)) return error
  const message = error instanceof Error ? error.message : ''
  const known = explained.find(([pattern]) => pattern.test(message))
  return providerRefusal(known?.[1] ?? 'its answer is not valid.', error)
}

export function createSamlProvider(
  { publicUrl, now = Date.now }: { readonly publicUrl: string; readonly now?: () => number },
  off: DefencesOff = allStand,
): SamlProvider {
  const addressesOf = (tenantId: string): SamlAddresses => {
    const entityId = `${publicUrl}/v1/auth/sso/saml/${tenantId}`
    return { entityId, acs: `${entityId}/acs`, metadata: `${entityId}/metadata` }
  }
  const checksUse = !off.has('samlUse')

  async function clientOf({ tenantId, saml }: SamlConnection, requestId: string): Promise<SAML> {
    const { SAML, ValidateInResponseTo } = await nodeSaml()
    const { entityId, acs } = addressesOf(tenantId)
    return new SAML({
      issuer: entityId,
      audience: checksUse ? entityId : false,
      callbackUrl: acs,
      entryPoint: saml.entryPoint,
      idpCert: [...saml.certificates],
      // Either signature will do: what is not covered by one is not read.
      wantAssertionsSigned: false,
      wantAuthnResponseSigned: false,
      acceptedClockSkewMs: skewMs,
      identifierFormat: null,
      disableRequestedAuthnContext: true,
      generateUniqueId: () => requestId,
      // The request is in the database, used up before this is asked, and compared in check-response.ts.
      validateInResponseTo: ValidateInResponseTo.never,
    })
  }

  return {
    addressesOf,
    async metadataOf(tenantId) {
      const { generateServiceProviderMetadata } = await nodeSaml()
      const { entityId: issuer, acs: callbackUrl } = addressesOf(tenantId)
      return generateServiceProviderMetadata({
        issuer,
        callbackUrl,
        identifierFormat: null,
        wantAssertionsSigned: true,
      } as Parameters<typeof generateServiceProviderMetadata>[0])
    },
    async start(connection, relayState) {
      const requestId = `_${randomBytes(20).toString('hex')}`
      const client = await clientOf(connection, requestId)
      const url = await client.getAuthorizeUrlAsync(relayState, undefined, {})
      return { url: new URL(url), requestId }
    },
    async finish(connection, requestId, response) {
      const { acs } = addressesOf(connection.tenantId)
      const awaited = { requestId, acs, issuer: connection.issuer }
      const xml = decoded(response)
      try {
        checkResponse(readXml(xml, responseLimits), awaited, checksUse)
        // Encoded anew: it reads the text that was checked, however the sender wrote its base64.
        const SAMLResponse = Buffer.from(xml).toString('base64')
        const client = await clientOf(connection, requestId)
        const { profile } = await client.validatePostResponseAsync({ SAMLResponse })
        const signed = profile?.getAssertionXml?.()
        if (signed === undefined) throw providerRefusal('it sent no assertion.')
        const names = {
          ...connection.saml,
          ...(connection.groupClaim && { groupClaim: connection.groupClaim }),
        }
        return readAssertion(readXml(signed, responseLimits), awaited, names, now() - skewMs, checksUse)
      } catch (error) {
        throw refusalOf(error)
      }
    },
  }
}
