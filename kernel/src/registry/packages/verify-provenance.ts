// Provenance: a statement, signed through Sigstore, of what build made these bytes. Verified against Sigstore's root of trust
// and compared with name, version and hash. Which repository it names is for the operator to read; this says it is true.
import type { Bundle, VerifyOptions } from 'sigstore'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { PublishedVersion } from './find-version.ts'
import { isRecord } from './parse-json.ts'
import type { Refuse } from './refusal.ts'
import type { RegistryClient } from './registry-client.ts'

/** Where Sigstore's root of trust comes from and is kept. Its own defaults are the public instance and the user's folder. */
export interface ProvenanceTrust {
  readonly cacheFolder?: string
  readonly mirror?: string
}

const text = Type.String({ maxLength: 100_000 })
const attestationsSchema = Compile(
  Type.Object({
    attestations: Type.Array(
      Type.Object({
        bundle: Type.Object({
          mediaType: text,
          dsseEnvelope: Type.Object({
            payload: Type.String({ maxLength: 1_000_000 }),
            payloadType: Type.Literal('application/vnd.in-toto+json'),
            signatures: Type.Array(Type.Object({ sig: text, keyid: Type.Optional(text) }), { minItems: 1 }),
          }),
          verificationMaterial: Type.Object({}),
        }),
      }),
      { maxItems: 20 },
    ),
  }),
)
const statementSchema = Compile(
  Type.Object({
    predicateType: text,
    subject: Type.Array(Type.Object({ name: text, digest: Type.Object({ sha512: text }) }), {
      minItems: 1,
      maxItems: 1,
    }),
  }),
)
const isProvenance = (type: string) => /^https:\/\/slsa\.dev\/provenance\/v\d/.test(type)

const purlOf = ({ name, version }: PublishedVersion) => `pkg:npm/${name.replace('@', '%40')}@${version}`

function parse(bytes: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return value
  } catch {
    return undefined
  }
}

/** Sigstore could not be asked: that says nothing about the package. */
const isUnreachable = (error: unknown): boolean =>
  isRecord(error) && typeof error['code'] === 'string' && error['code'].startsWith('TUF_')

export async function verifyProvenance(
  client: RegistryClient,
  trust: ProvenanceTrust,
  found: PublishedVersion,
  limit: number,
  refuse: Refuse,
): Promise<'verified' | 'absent'> {
  const { attestations } = found.dist
  if (!attestations) return 'absent'
  // The path alone is taken, as npm does: who serves the attestation is this registry and nobody else.
  if (!URL.canParse(attestations.url))
    throw refuse('provenance', 'The address of its attestations is no URL.')
  const ask = { accept: 'application/json', limit, what: 'its attestations' }
  const body = await client.get(new URL(attestations.url).pathname, ask)
  if (!body) return 'absent'
  const value = parse(body)
  if (!attestationsSchema.Check(value)) throw refuse('provenance', 'Its attestations do not parse.')

  let result: 'verified' | 'absent' = 'absent'
  for (const { bundle } of value.attestations) {
    const statement = parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64'))
    if (!statementSchema.Check(statement))
      throw refuse('provenance', 'One of its attestations has no statement.')
    // Read from what is signed and not from beside it. Others, such as the registry's own, are no provenance.
    if (!isProvenance(statement.predicateType)) continue
    const [subject] = statement.subject
    const hash = Buffer.from(found.integrity.slice('sha512-'.length), 'base64').toString('hex')
    if (subject?.name !== purlOf(found) || subject.digest.sha512 !== hash)
      throw refuse('provenance', 'Its provenance is that of another package, version or archive.')
    result = await verifyBundle(bundle, trust, refuse)
  }
  return result
}

async function verifyBundle(
  bundle: object,
  trust: ProvenanceTrust,
  refuse: Refuse,
): Promise<'verified' | 'absent'> {
  const options: VerifyOptions = {
    tufForceCache: true,
    retry: 0,
    timeout: 5_000,
    ...(trust.cacheFolder === undefined ? {} : { tufCachePath: trust.cacheFolder }),
    ...(trust.mirror === undefined ? {} : { tufMirrorURL: trust.mirror }),
  }
  // Only now: it is the largest library there is here, and most processes never install a package.
  const { verify } = await import('sigstore')
  try {
    // Sigstore parses what it is given before it uses it.
    await verify(bundle as Bundle, options)
    return 'verified'
  } catch (error) {
    if (isUnreachable(error)) return 'absent'
    throw refuse('provenance', 'Its provenance is not signed as Sigstore signs.', error)
  }
}
