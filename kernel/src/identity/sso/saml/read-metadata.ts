// A provider's own description of itself, as its administrators give it out and an admin here pastes it. It is believed as
// he is: nothing is fetched, and what it says of its certificates is pinned until he changes it.
import { X509Certificate } from 'node:crypto'
import { errors } from '../../../errors.ts'
import { isProviderRefusal, providerRefusal } from '../provider-refusal.ts'
import { metadataNamespace, redirectBinding, signatureNamespace } from './names.ts'
import { childrenOf, readXml, withDescendants } from './read-xml.ts'

export interface ProviderDescription {
  readonly issuer: string
  readonly entryPoint: string
  /** In base64, without the lines of PEM around it. */
  readonly certificates: readonly string[]
}

const metadataLimits = { bytes: 400_000, elements: 10_000, comments: true }
const fewestBits = 2_048

const wrong = (field: string, message: string) =>
  errors.validation({ errors: [{ field, code: 'INVALID', message }] })

/** The certificate in base64. @throws VALIDATION_FAILED */
export function certificateIn(field: string, given: string): string {
  const base64 = given.replace(/-----(?:BEGIN|END) CERTIFICATE-----/g, '').replace(/\s+/g, '')
  try {
    const { publicKey, raw } = new X509Certificate(Buffer.from(base64, 'base64'))
    const { modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {}
    if (publicKey.asymmetricKeyType === 'rsa' && modulusLength >= fewestBits) return raw.toString('base64')
  } catch {
    throw wrong(field, 'is not an X.509 certificate in PEM or base64')
  }
  throw wrong(field, `must have an RSA key of ${fewestBits} bits at least`)
}

function described(text: string): ProviderDescription {
  const root = readXml(text, metadataLimits)
  if (root.name !== 'EntityDescriptor' || root.namespace !== metadataNamespace)
    throw providerRefusal('is not the EntityDescriptor of one provider')
  const [role] = childrenOf(root, metadataNamespace, 'IDPSSODescriptor')
  if (!role) throw providerRefusal('has no IDPSSODescriptor: it is not of an identity provider')
  const entryPoint = childrenOf(role, metadataNamespace, 'SingleSignOnService').find(
    ({ attributes }) => attributes['Binding'] === redirectBinding,
  )?.attributes['Location']
  if (entryPoint === undefined)
    throw providerRefusal('has no SingleSignOnService with the HTTP-Redirect binding')
  const certificates = childrenOf(role, metadataNamespace, 'KeyDescriptor')
    .filter(({ attributes }) => attributes['use'] !== 'encryption')
    .flatMap((key) => [...withDescendants(key)])
    .filter(({ name, namespace }) => name === 'X509Certificate' && namespace === signatureNamespace)
    .map((certificate) => certificate.text)
  return { issuer: root.attributes['entityID'] ?? '', entryPoint, certificates: [...new Set(certificates)] }
}

/** @throws VALIDATION_FAILED naming `metadata` */
export function readMetadata(text: string): ProviderDescription {
  try {
    return described(text)
  } catch (error) {
    if (isProviderRefusal(error)) throw wrong('metadata', error.message)
    throw error
  }
}
