// Secrets at rest: AES-256-GCM with a key derived from the installation's secret, bound to the place they belong to. A
// sealed text copied to another tenant, module, name or host does not open there.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Tenant, module, name and the host it is sent to: a tuple, so that no two places share a text. */
export type Place = readonly [tenant: string, module: string, name: string, host: string]

export interface Seal {
  close(value: string, place: Place): Buffer
  /** @throws when it was changed, or sealed for another place or with another secret */
  open(sealed: Buffer, place: Place): string
}

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** What one purpose has sealed another does not open. */
export type SealPurpose =
  | 'module secrets'
  | 'signing keys'
  | 'single sign-on'
  | 'mail'
  | 'decisions'
  | 'webhooks'

export function createSeal(installationSecret: string, purpose: SealPurpose = 'module secrets'): Seal {
  const key = Buffer.from(hkdfSync('sha256', installationSecret, '', `plinth ${purpose} 1`, 32))
  const bound = (place: Place) => Buffer.from(JSON.stringify(place))
  return {
    close(value, place) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(bound(place))
      const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), text])
    },
    open(sealed, place) {
      const nonce = sealed.subarray(0, nonceBytes)
      const tag = sealed.subarray(nonceBytes, nonceBytes + tagBytes)
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
        .setAAD(bound(place))
        .setAuthTag(tag)
      return (
        decipher.update(sealed.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8')
      )
    },
  }
}
