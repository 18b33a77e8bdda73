// A device with a passkey, as Web Authentication has it: a P-256 key, no attestation.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export interface PasskeyDevice {
  /** Answers what is asked when a passkey is added. */
  register(options: RegistrationAsked): object
  /** Answers what is asked at sign-in. `wrong` changes what is signed. */
  authenticate(options: { readonly challenge: string }, wrong?: Wrong): object
}

export interface RegistrationAsked {
  readonly challenge: string
  readonly user: { readonly id: string }
}

export interface Wrong {
  readonly origin?: string
  readonly host?: string
  /** Nobody unlocked it. */
  readonly isLocked?: boolean
  /** As a copy of the device would. */
  readonly counter?: number
  readonly key?: KeyObject
  readonly userHandle?: string
}

const base64url = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64url')
const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest()

const present = 1
const verified = 4
const withKey = 64

export function passkeyDevice(origin: string): PasskeyDevice {
  const host = new URL(origin).hostname
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const id = randomBytes(32)
  let counter = 0
  let owner = ''

  const clientData = (type: string, challenge: string, from: string) =>
    Buffer.from(JSON.stringify({ type, challenge, origin: from, crossOrigin: false }))

  function authenticatorData(flags: number, count: number, forHost: string, more = Buffer.alloc(0)): Buffer {
    const head = Buffer.alloc(5)
    head.writeUInt8(flags, 0)
    head.writeUInt32BE(count, 1)
    return Buffer.concat([sha256(forHost), head, more])
  }

  /** CBOR: {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
  function coseKey(): Buffer {
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const coordinate = (text: string) => Buffer.from(text, 'base64url')
    return Buffer.concat([
      Buffer.from('a5010203262001215820', 'hex'),
      coordinate(x),
      Buffer.from('225820', 'hex'),
      coordinate(y),
    ])
  }

  /** CBOR: {fmt: 'none', attStmt: {}, authData: bytes}. */
  function attestation(data: Buffer): Buffer {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(data.length)
    const text = (word: string) => Buffer.concat([Buffer.from([0x60 + word.length]), Buffer.from(word)])
    return Buffer.concat([
      Buffer.from([0xa3]),
      text('fmt'),
      text('none'),
      text('attStmt'),
      Buffer.from([0xa0]),
      text('authData'),
      Buffer.from([0x59]),
      length,
      data,
    ])
  }

  const answer = (response: object) => ({
    id: base64url(id),
    rawId: base64url(id),
    type: 'public-key',
    clientExtensionResults: {},
    response,
  })

  return {
    register({ challenge, user }) {
      owner = user.id
      const length = Buffer.alloc(2)
      length.writeUInt16BE(id.length)
      const credential = Buffer.concat([Buffer.alloc(16), length, id, coseKey()])
      const data = authenticatorData(present | verified | withKey, counter, host, credential)
      return answer({
        clientDataJSON: base64url(clientData('webauthn.create', challenge, origin)),
        attestationObject: base64url(attestation(data)),
      })
    },
    authenticate({ challenge }, wrong = {}) {
      counter += 1
      const flags = wrong.isLocked ? present : present | verified
      const data = authenticatorData(flags, wrong.counter ?? counter, wrong.host ?? host)
      const client = clientData('webauthn.get', challenge, wrong.origin ?? origin)
      return answer({
        clientDataJSON: base64url(client),
        authenticatorData: base64url(data),
        signature: base64url(sign('sha256', Buffer.concat([data, sha256(client)]), wrong.key ?? privateKey)),
        userHandle: wrong.userHandle ?? owner,
      })
    },
  }
}
