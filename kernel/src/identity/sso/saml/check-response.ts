// What a SAML response must look like before its signature is looked at: one response with one assertion, each signature
// that of the element it stands in and of nothing else. What signature wrapping needs is not well-formed here.
import { providerRefusal } from '../provider-refusal.ts'
import {
  assertionNamespace,
  digestMethods,
  enveloped,
  exclusive,
  protocolNamespace,
  signatureMethods,
  signatureNamespace,
  success,
} from './names.ts'
import { childrenOf, withDescendants, type XmlElement } from './read-xml.ts'

export interface Awaited {
  readonly requestId: string
  /** Where it was to be sent. */
  readonly acs: string
  /** The provider's own name. */
  readonly issuer: string
}

function one(element: XmlElement, namespace: string, name: string): XmlElement {
  const [found, ...more] = childrenOf(element, namespace, name)
  if (!found || more.length > 0) throw providerRefusal(`its answer does not have one ${name}.`)
  return found
}

/** Ids go into XPath expressions. */
const plainId = /^[A-Za-z_][\w.-]{0,200}$/

function refuseSignature(signature: XmlElement, signed: XmlElement): void {
  const info = one(signature, signatureNamespace, 'SignedInfo')
  const reference = one(info, signatureNamespace, 'Reference')
  const algorithm = (element: XmlElement, name: string) =>
    one(element, signatureNamespace, name).attributes['Algorithm'] ?? ''
  if (!signatureMethods.has(algorithm(info, 'SignatureMethod')))
    throw providerRefusal('it signs with an algorithm that is not accepted: RSA with SHA-256 or SHA-512 is.')
  if (!digestMethods.has(algorithm(reference, 'DigestMethod')))
    throw providerRefusal('it signs with a digest that is not accepted: SHA-256 or SHA-512 is.')
  if (algorithm(info, 'CanonicalizationMethod') !== exclusive)
    throw providerRefusal('its signature is not over exclusive canonical XML.')
  const transforms = childrenOf(reference, signatureNamespace, 'Transforms').flatMap(
    ({ children }) => children,
  )
  const known = transforms.every(({ attributes }) =>
    [enveloped, exclusive].includes(attributes['Algorithm'] ?? ''),
  )
  if (!known || transforms.length > 2) throw providerRefusal('its signature transforms what it signs.')
  const id = signed.attributes['ID'] ?? ''
  if (!plainId.test(id) || reference.attributes['URI'] !== `#${id}`)
    throw providerRefusal('its signature is not of the element that it stands in.')
}

/** Ids of whatever spelling, for a reader may take any of them. */
function refuseSharedIds(elements: readonly XmlElement[]): void {
  const ids = elements.flatMap(({ attributes }) =>
    Object.entries(attributes).flatMap(([name, value]) => (/^(?:.*:)?id$/i.test(name) ? [value] : [])),
  )
  if (new Set(ids).size < ids.length) throw providerRefusal('two elements of its answer have one ID.')
}

function refuseWrapping(response: XmlElement): void {
  const all = [...withDescendants(response)]
  const named = (name: string) => all.filter((element) => element.name === name)
  if (named('EncryptedAssertion').length > 0)
    throw providerRefusal('its assertion is encrypted, which is not understood here.')
  const [assertion, ...others] = named('Assertion')
  const isPlaced = assertion?.namespace === assertionNamespace && response.children.includes(assertion)
  if (!assertion || !isPlaced || others.length > 0)
    throw providerRefusal('its answer does not have one assertion.')
  if (named('Response').length > 1) throw providerRefusal('its answer has another one in it.')
  const signed = [response, assertion].flatMap((element) =>
    childrenOf(element, signatureNamespace, 'Signature').map((signature) => ({ signature, element })),
  )
  if (signed.length === 0) throw providerRefusal('its answer is not signed.')
  const isElsewhere =
    named('Signature').length > signed.length ||
    new Set(signed.map(({ element }) => element)).size < signed.length
  if (isElsewhere || named('Object').length > 0)
    throw providerRefusal('its signatures stand in wrong places.')
  for (const { signature, element } of signed) refuseSignature(signature, element)
  refuseSharedIds(all)
}

/** @throws ProviderRefusal */
export function checkResponse(
  response: XmlElement,
  { requestId, acs, issuer }: Awaited,
  checksUse = true,
): void {
  if (response.name !== 'Response' || response.namespace !== protocolNamespace)
    throw providerRefusal('it sent something that is no SAML response.')
  const { attributes } = response
  const status = childrenOf(response, protocolNamespace, 'Status').flatMap(({ children }) => children)[0]
  const code = status?.attributes['Value'] ?? ''
  if (code !== success) {
    const said = /^urn:oasis:names:tc:SAML:2\.0:status:([A-Za-z]{1,40})$/.exec(code)?.[1]
    throw providerRefusal(said === undefined ? 'its answer has no status.' : `it answered '${said}'.`)
  }
  if (attributes['Version'] !== '2.0') throw providerRefusal('its answer is not of SAML 2.0.')
  if (checksUse && attributes['Destination'] !== acs)
    throw providerRefusal('its answer is for another address.')
  if (checksUse && attributes['InResponseTo'] !== requestId)
    throw providerRefusal('it answers something that was not asked.')
  const [said] = childrenOf(response, assertionNamespace, 'Issuer')
  if (said && said.text.trim() !== issuer) throw providerRefusal('its answer is by another provider.')
  refuseWrapping(response)
}
