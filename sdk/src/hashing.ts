// Digests and keyed digests of text and bytes, at once and without a promise: checksums of files, signatures of
// messages, keys of caches. Not for passwords, which need a slow hash.
import { hmac as keyed } from '@noble/hashes/hmac.js'
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

export type HashName = 'sha256' | 'sha512' | 'sha1' | 'md5'
export type HashEncoding = 'hex' | 'base64'

/**
 * The digest of `data`: `hash('sha256', 'abc')` is `ba7816bf...`. Text is hashed as UTF-8. `sha1` and `md5` are there for
 * formats that ask for them; they protect nothing.
 */
export const hash = (name: HashName, data: string | Uint8Array, encoding: HashEncoding = 'hex'): string =>
  encode(hashNamed(name)(bytesOf(data)), encoding)

/** The digest of `data` under a `key`, as webhooks and payment gateways sign with: `hmac('sha256', secret, body)`. */
export const hmac = (
  name: HashName,
  key: string | Uint8Array,
  data: string | Uint8Array,
  encoding: HashEncoding = 'hex',
): string => encode(keyed(hashNamed(name), bytesOf(key), bytesOf(data)), encoding)

function hashNamed(name: HashName) {
  switch (name) {
    case 'sha256':
      return sha256
    case 'sha512':
      return sha512
    case 'sha1':
      return sha1
    case 'md5':
      return md5
    default:
      throw new RangeError(`There is no hash '${String(name)}': give sha256, sha512, sha1 or md5.`)
  }
}

const bytesOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === 'string' ? utf8ToBytes(data) : data

function encode(bytes: Uint8Array, encoding: HashEncoding): string {
  if (encoding === 'hex') return bytesToHex(bytes)
  if (encoding === 'base64') return base64(bytes)
  throw new RangeError(`There is no encoding '${String(encoding)}': give hex or base64.`)
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    for (const shift of [18, 12, 6, 0]) text += digits[(bits >> shift) & 63]
  }
  const missing = (3 - (bytes.length % 3)) % 3
  return text.slice(0, text.length - missing) + '='.repeat(missing)
}
