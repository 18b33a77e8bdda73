// The `crypto` of a plugin: random bytes and digests, evaluated when it is first named. Randomness is SHA-512 over a
// key that the host drew for this isolate alone, with a new key after every answer: what was given cannot be worked
// out again from what is in memory later.
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { DOMException } from './dom-exception.ts'

const hashes: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = {
  'SHA-1': sha1,
  'SHA-256': sha256,
  'SHA-384': sha384,
  'SHA-512': sha512,
}
const mostBytes = 65_536

/** Bytes that nobody can foresee who does not know the seed. */
export function randomFrom(seed: string): (count: number) => Uint8Array {
  let key = new Uint8Array(64)
  for (let at = 0; at < 32; at += 1) key[at] = Number.parseInt(seed.slice(at * 2, at * 2 + 2), 16)
  const derive = (what: number, block: number): Uint8Array => {
    const input = new Uint8Array(69)
    input.set(key)
    input[64] = what
    new DataView(input.buffer).setUint32(65, block)
    return sha512(input)
  }
  return (count) => {
    const bytes = new Uint8Array(count)
    for (let at = 0; at < count; at += 64) bytes.set(derive(1, at / 64).subarray(0, count - at), at)
    key = Uint8Array.from(derive(0, 0))
    return bytes
  }
}

const isView = (value: unknown): value is ArrayBufferView => ArrayBuffer.isView(value)

function bytesOf(data: unknown): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  if (isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  throw new TypeError('The data to digest is no ArrayBuffer and no view of one.')
}

export interface Cryptography {
  getRandomValues<T>(array: T): T
  randomUUID(): string
  readonly subtle: { digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> }
}

export function createCrypto(seed: string): Cryptography {
  const random = randomFrom(seed)

  function getRandomValues<T>(array: T): T {
    if (
      !isView(array) ||
      array instanceof DataView ||
      array instanceof Float32Array ||
      array instanceof Float64Array
    )
      throw new DOMException('getRandomValues takes an array of integers.', 'TypeMismatchError')
    if (array.byteLength > mostBytes)
      throw new DOMException(`${array.byteLength} random bytes, ${mostBytes} at once.`, 'QuotaExceededError')
    bytesOf(array).set(random(array.byteLength))
    return array
  }

  function randomUUID(): string {
    const bytes = random(16)
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }

  async function digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
    const name: unknown =
      typeof algorithm === 'object' && algorithm !== null && 'name' in algorithm ? algorithm.name : algorithm
    const hash = hashes[String(name).toUpperCase()]
    if (!hash) throw new DOMException(`'${String(name)}' is no digest of the sandbox.`, 'NotSupportedError')
    return Uint8Array.from(hash(bytesOf(data))).buffer
  }

  return Object.freeze({ getRandomValues, randomUUID, subtle: Object.freeze({ digest }) })
}
