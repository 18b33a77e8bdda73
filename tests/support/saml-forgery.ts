// SAML responses as an honest provider signs them, and as those do who wrap, strip, move and truncate.
import { SignedXml } from 'xml-crypto'
import type { SamlKeys } from './saml-keys.ts'
import { asAssertion, asResponse, newId, type SamlClaims } from './saml-response.ts'

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'
export const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'
export const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256'

export interface SigningWays {
  readonly signatureAlgorithm?: string
  readonly digestAlgorithm?: string
}

/** Signs the element with this ID, as a child after its Issuer. */
export function signed(
  xml: string,
  id: string,
  { privateKey, certificate }: SamlKeys,
  { signatureAlgorithm = rsaSha256, digestAlgorithm = sha256 }: SigningWays = {},
): string {
  const signature = new SignedXml({
    privateKey,
    publicCert: certificate,
    signatureAlgorithm,
    canonicalizationAlgorithm: exclusive,
  })
  signature.addReference({ xpath: `//*[@ID="${id}"]`, transforms: [enveloped, exclusive], digestAlgorithm })
  const reference = `//*[@ID="${id}"]/*[local-name(.)="Issuer"]`
  signature.computeSignature(xml, { prefix: 'ds', location: { reference, action: 'after' } })
  return signature.getSignedXml()
}

export const assertionIn = (xml: string): string =>
  /<saml:Assertion.*<\/saml:Assertion>/s.exec(xml)?.[0] ?? ''
export const signatureIn = (xml: string): string => /<ds:Signature .*?<\/ds:Signature>/s.exec(xml)?.[0] ?? ''

export function signedResponse(
  claims: SamlClaims,
  keys: SamlKeys,
  { sign = 'assertion', ...ways }: SigningWays & { readonly sign?: 'assertion' | 'response' | 'both' } = {},
): string {
  const [responseId, assertionId] = [newId(), newId()]
  const xml = asResponse(claims, asAssertion(claims, assertionId), responseId)
  const inner = sign === 'response' ? xml : signed(xml, assertionId, keys, ways)
  return sign === 'assertion' ? inner : signed(inner, responseId, keys, ways)
}

type Wrap = (claims: SamlClaims, evil: SamlClaims, keys: SamlKeys) => string

const beginningOf = (xml: string) => xml.slice(0, xml.indexOf('<saml:Assertion'))
const idOf = (xml: string) => / ID="([^"]+)"/.exec(xml)?.[1] ?? ''
const end = '</samlp:Response>'

/** Around a signed assertion: what stands in the response instead of it. */
const aroundAssertion =
  (build: (original: string, evil: SamlClaims) => string): Wrap =>
  (claims, evil, keys) => {
    const xml = signedResponse(claims, keys)
    return beginningOf(xml) + build(assertionIn(xml), evil) + end
  }
const without = (xml: string, part: string) => xml.replace(part, '')
const inside = (xml: string, part: string) => xml.replace('</saml:Assertion>', `${part}</saml:Assertion>`)
const afterIssuer = (xml: string, part: string) => xml.replace('</saml:Issuer>', `</saml:Issuer>${part}`)
const withObject = (signature: string, part: string) =>
  signature.replace('</ds:Signature>', `<ds:Object>${part}</ds:Object></ds:Signature>`)

/** The known ways to wrap a signature, by what they move where. */
export const wrappings: Readonly<Record<string, Wrap>> = {
  'a signed response in the signature of a forged one'(claims, evil, keys) {
    const xml = signedResponse(claims, keys, { sign: 'response' })
    const signature = signatureIn(xml)
    return afterIssuer(asResponse(evil), withObject(signature, without(xml, signature)))
  },
  'a signed response beside the assertion of a forged one'(claims, evil, keys) {
    const xml = signedResponse(claims, keys, { sign: 'response' })
    const signature = signatureIn(xml)
    return afterIssuer(asResponse(evil), signature + without(xml, signature))
  },
  'a forged assertion before a signed one': aroundAssertion((original, evil) => asAssertion(evil) + original),
  'a forged assertion after a signed one': aroundAssertion((original, evil) => original + asAssertion(evil)),
  'a forged assertion around a signed one': aroundAssertion((original, evil) =>
    inside(asAssertion(evil), original),
  ),
  'a forged assertion with the signature, and the signed one after it': aroundAssertion((original, evil) => {
    const signature = signatureIn(original)
    return afterIssuer(asAssertion(evil), signature) + without(original, signature)
  }),
  'a forged assertion with the signature, which has the signed one in it': aroundAssertion(
    (original, evil) => {
      const signature = signatureIn(original)
      const holder = signature.replace('</ds:Signature>', `${without(original, signature)}</ds:Signature>`)
      return afterIssuer(asAssertion(evil), holder)
    },
  ),
  'a forged assertion with the ID of the signed one, in extensions': aroundAssertion(
    (original, evil) =>
      `<samlp:Extensions>${asAssertion(evil, idOf(original))}</samlp:Extensions>${original}`,
  ),
  'a forged assertion with the ID of the signed one, which is in an object': aroundAssertion(
    (original, evil) => {
      const signature = signatureIn(original)
      return afterIssuer(
        asAssertion(evil, idOf(original)),
        withObject(signature, without(original, signature)),
      )
    },
  ),
  'a signed assertion in the advice of a forged one': aroundAssertion((original, evil) =>
    inside(asAssertion(evil), `<saml:Advice>${original}</saml:Advice>`),
  ),
  'a forged assertion in another namespace, and the signed one': aroundAssertion(
    (original, evil) => asAssertion(evil).replace('SAML:2.0:assertion"', 'SAML:2.0:assertion "') + original,
  ),
}
