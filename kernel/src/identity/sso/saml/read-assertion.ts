// What a signed assertion says, read from the bytes that were signed and from nothing else.
import type { Vouched } from '../../../tenants/sso/admit.ts'
import { providerRefusal } from '../provider-refusal.ts'
import type { Awaited } from './check-response.ts'
import { assertionNamespace, bearer, emailFormat, transientFormat } from './names.ts'
import { childrenOf, type XmlElement } from './read-xml.ts'

export interface AttributeNames {
  readonly emailAttribute?: string
  readonly nameAttribute?: string
  /** Attribute with the names of groups. */
  readonly groupClaim?: string
}

const emailAttributes = [
  'email',
  'mail',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'urn:oid:0.9.2342.19200300.100.1.3',
]
const nameAttributes = [
  'displayName',
  'name',
  'http://schemas.microsoft.com/identity/claims/displayname',
  'urn:oid:2.16.840.1.113730.3.1.241',
]
const mostGroups = 1_000
const longestSubject = 1_000

const of = (element: XmlElement, name: string) => childrenOf(element, assertionNamespace, name)

/** That it is for this sign-in, here and now: whoever got hold of it has no other use for it. */
function refuseOtherUse(subject: XmlElement, { requestId, acs }: Awaited, now: number): void {
  const isMeant = of(subject, 'SubjectConfirmation').some((confirmation) => {
    const [data] = of(confirmation, 'SubjectConfirmationData')
    const { Recipient, InResponseTo, NotOnOrAfter, NotBefore } = data?.attributes ?? {}
    return (
      confirmation.attributes['Method'] === bearer &&
      Recipient === acs &&
      InResponseTo === requestId &&
      NotBefore === undefined &&
      NotOnOrAfter !== undefined &&
      now < Date.parse(NotOnOrAfter)
    )
  })
  if (!isMeant) throw providerRefusal('its assertion is not for this sign-in.')
}

function attributesOf(assertion: XmlElement): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const statement of of(assertion, 'AttributeStatement'))
    for (const attribute of of(statement, 'Attribute')) {
      const name = attribute.attributes['Name'] ?? ''
      const values = of(attribute, 'AttributeValue').map(({ text }) => text.trim())
      found.set(name, [...(found.get(name) ?? []), ...values.filter((value) => value !== '')])
    }
  return found
}

/** `now` is in milliseconds, less the skew that clocks are allowed. @throws ProviderRefusal */
export function readAssertion(
  assertion: XmlElement,
  awaited: Awaited,
  names: AttributeNames,
  now: number,
  checksUse = true,
): Vouched {
  const [issuer, ...issuers] = of(assertion, 'Issuer')
  if (assertion.name !== 'Assertion' || assertion.namespace !== assertionNamespace)
    throw providerRefusal('what it signed is no assertion.')
  if (issuers.length > 0 || issuer?.text.trim() !== awaited.issuer)
    throw providerRefusal('its assertion is by another provider.')
  // One that tells of attributes alone is no sign-in.
  if (of(assertion, 'AuthnStatement').length === 0)
    throw providerRefusal('its assertion does not say that somebody signed in.')
  const [subject, ...subjects] = of(assertion, 'Subject')
  const [nameId, ...nameIds] = subject ? of(subject, 'NameID') : []
  if (!subject || !nameId || subjects.length + nameIds.length > 0)
    throw providerRefusal('its assertion does not name one person.')
  if (checksUse) refuseOtherUse(subject, awaited, now)
  const format = nameId.attributes['Format']
  if (format === transientFormat)
    throw providerRefusal('it names people anew each time: let it send a persistent NameID.')
  const name = nameId.text.trim()
  // The tree has all text of the element; with elements in it another reader could see less.
  if (name === '' || name.length > longestSubject || nameId.children.length > 0)
    throw providerRefusal('its NameID is not valid.')
  const attributes = attributesOf(assertion)
  const first = (wanted: readonly string[]) =>
    wanted.flatMap((attribute) => attributes.get(attribute) ?? [])[0]
  const { emailAttribute, nameAttribute, groupClaim } = names
  const email = first(emailAttribute === undefined ? emailAttributes : [emailAttribute])
  const isEmail = emailAttribute === undefined && format === emailFormat
  return {
    subject: name,
    email: email ?? (isEmail ? name : undefined),
    // SAML has no mark for it. The certificates are those that the tenant pinned, and the domain is its own.
    emailVerified: true,
    name: first(nameAttribute === undefined ? nameAttributes : [nameAttribute]),
    groups: groupClaim === undefined ? [] : (attributes.get(groupClaim) ?? []).slice(0, mostGroups),
  }
}
