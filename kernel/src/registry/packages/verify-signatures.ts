// The registry's signature over name, version and hash: that this is what the registry took from its publisher. ECDSA as
// npm's registry signs; a signature that cannot be looked up counts as none, a wrong one refuses the package.
import { createPublicKey, verify } from 'node:crypto'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { PublishedVersion } from './find-version.ts'
import { type Refuse, shown } from './refusal.ts'
import type { RegistryClient, RegistryKey } from './registry-client.ts'

const text = Type.String({ maxLength: 2_000 })
const keysSchema = Compile(
  Type.Object({
    keys: Type.Array(
      Type.Object({ keyid: text, key: text, expires: Type.Optional(Type.Union([text, Type.Null()])) }),
      { maxItems: 100 },
    ),
  }),
)

async function servedKeys(client: RegistryClient, limit: number): Promise<readonly RegistryKey[]> {
  const ask = { accept: 'application/json', limit, what: 'its signing keys' }
  const body = await client.get('-/npm/v1/keys', ask)
  if (!body) return []
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return keysSchema.Check(value) ? value.keys : []
  } catch {
    return []
  }
}

function isSigned(key: RegistryKey, message: string, sig: string): boolean {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key.key, 'base64'), format: 'der', type: 'spki' })
    if (publicKey.asymmetricKeyType !== 'ec') return false
    return verify('sha256', Buffer.from(message), publicKey, Buffer.from(sig, 'base64'))
  } catch {
    return false
  }
}

export async function verifySignatures(
  client: RegistryClient,
  pinned: readonly RegistryKey[] | undefined,
  found: PublishedVersion,
  limit: number,
  refuse: Refuse,
): Promise<'verified' | 'absent'> {
  const { signatures = [] } = found.dist
  if (signatures.length === 0) return 'absent'
  const keys = pinned ?? (await servedKeys(client, limit))
  if (keys.length === 0) return 'absent'
  const message = `${found.name}@${found.version}:${found.integrity}`
  for (const { keyid, sig } of signatures) {
    const key = keys.find((one) => one.keyid === keyid)
    if (!key)
      throw refuse(
        'signature',
        `It is signed with the key '${shown(keyid)}', which the registry does not have.`,
      )
    // Without a time the signature is taken for new: an expired key does not sign it.
    const publishedAt = found.publishedAt?.getTime() ?? Date.now()
    if (typeof key.expires === 'string' && !(publishedAt < Date.parse(key.expires)))
      throw refuse(
        'signature',
        `The key '${shown(keyid)}' had expired on ${shown(key.expires)} when it was published.`,
      )
    if (!isSigned(key, message, sig))
      throw refuse('signature', `Its signature with the key '${shown(keyid)}' is wrong.`)
  }
  return 'verified'
}
