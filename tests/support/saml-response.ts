// A SAML response as text, unsigned, with whatever a test wants in it.
import { randomBytes } from 'node:crypto'

export interface SamlClaims {
  readonly issuer: string
  readonly requestId: string
  readonly audience: string
  /** Where it is sent. */
  readonly acs: string
  readonly nameId: string
  readonly nameIdFormat?: string
  readonly attributes: Readonly<Record<string, readonly string[]>>
  readonly destination?: string
  readonly recipient?: string
  /** Of the assertion, where it is another than the response's. */
  readonly inResponseTo?: string
  /** Seconds from now. */
  readonly from?: number
  readonly until?: number
  readonly status?: string
  /** False: of attributes alone. */
  readonly isSignIn?: boolean
}

export const newId = () => `_${randomBytes(16).toString('hex')}`

const at = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString()
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const attribute = ([name, values]: readonly [string, readonly string[]]) =>
  `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${escaped(value)}</saml:AttributeValue>`).join('')}</saml:Attribute>`

const signInStatement = () =>
  `<saml:AuthnStatement AuthnInstant="${at(0)}" SessionIndex="one"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`

/** `nameId` as it is: it may hold what a test wants to hide in it. */
export function asAssertion(claims: SamlClaims, id = newId()): string {
  const { issuer, requestId, audience, acs, nameId, attributes } = claims
  const { recipient = acs, inResponseTo = requestId, from = -5, until = 60, isSignIn = true } = claims
  const format = claims.nameIdFormat ?? 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
  const answers = inResponseTo === '' ? '' : ` InResponseTo="${inResponseTo}"`
  return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${at(0)}"><saml:Issuer>${issuer}</saml:Issuer><saml:Subject><saml:NameID Format="${format}">${nameId}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="${at(until)}" Recipient="${recipient}"${answers}/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="${at(from)}" NotOnOrAfter="${at(until)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>${isSignIn ? signInStatement() : ''}<saml:AttributeStatement>${Object.entries(attributes).map(attribute).join('')}</saml:AttributeStatement></saml:Assertion>`
}

export function asResponse(claims: SamlClaims, assertion = asAssertion(claims), id = newId()): string {
  const { issuer, requestId, acs, destination = acs } = claims
  const { status = 'urn:oasis:names:tc:SAML:2.0:status:Success' } = claims
  const answers = requestId === '' ? '' : ` InResponseTo="${requestId}"`
  return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="${id}" Version="2.0" IssueInstant="${at(0)}" Destination="${destination}"${answers}><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="${status}"/></samlp:Status>${assertion}</samlp:Response>`
}
