// Tokens that are looked up by an id and proved by a secret: API keys and refresh tokens. Their checksum lets a scanner of
// sources be sure of a find, and saves the database a question about what was mistyped.
import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

export interface SecretToken {
  /** Not secret: it stands in lists and in audit. */
  readonly id: string
  /** Of the secret. It has 256 random bits, so that a fast hash is enough. */
  readonly hash: Buffer
}

const inBase36 = (bytes: Buffer, length: number): string =>
  BigInt(`0x${bytes.toString('hex')}`)
    .toString(36)
    .padStart(length, '0')

export const makeKeyId = (): string => inBase36(randomBytes(10), 16)

const checksumOf = (text: string): string => crc32(text).toString(36).padStart(7, '0')
const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()
const form = /^(pl[kr])_([0-9a-z]{16})_([0-9a-z]{50})([0-9a-z]{7})$/

/** `plk` starts an API key, `plr` a refresh token. With `id` it is another token under the same id. */
export function makeSecretToken(
  prefix: 'plk' | 'plr',
  id = makeKeyId(),
): SecretToken & { readonly text: string } {
  const secret = inBase36(randomBytes(32), 50)
  const text = `${prefix}_${id}_${secret}`
  return { id, hash: hashOf(secret), text: text + checksumOf(text) }
}

/** Undefined for what was never made by `makeSecretToken`. */
export function parseSecretToken(prefix: 'plk' | 'plr', text: string): SecretToken | undefined {
  const [, start, id = '', secret = '', checksum] = form.exec(text) ?? []
  if (start !== prefix || checksumOf(text.slice(0, -7)) !== checksum) return undefined
  return { id, hash: hashOf(secret) }
}
