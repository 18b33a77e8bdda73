// Keys of endpoints and what is signed with them, as Standard Webhooks has it. A key that was replaced signs as well for a
// day, so that the receiver can change over without losing anything.
import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import type { Seal } from '../outside/seal.ts'

/** How long the key before the last one goes on signing. */
export const oldKeyHours = 24

const keyBytes = 32

export const newKey = (): string => `whsec_${randomBytes(keyBytes).toString('base64')}`

/** A key belongs to its endpoint and opens at no other. */
const placeOf = (tenant: string, endpoint: string) => [tenant, 'kernel webhook', endpoint, ''] as const

export const sealKey = (seal: Seal, tenant: string, endpoint: string, key: string): Buffer =>
  seal.close(key, placeOf(tenant, endpoint))

export interface SealedKeys {
  readonly secret: Buffer
  /** While it signs too. */
  readonly oldSecret: Buffer | null
}

/** The header `webhook-signature`: one signature, or two with a space between them. */
export function signatureOf(
  seal: Seal,
  { tenant, endpoint }: { readonly tenant: string; readonly endpoint: string },
  { secret, oldSecret }: SealedKeys,
  message: { readonly id: string; readonly at: Date; readonly body: string },
): string {
  return [secret, ...(oldSecret ? [oldSecret] : [])]
    .map((sealed) => new Webhook(seal.open(sealed, placeOf(tenant, endpoint))))
    .map((webhook) => webhook.sign(message.id, message.at, message.body))
    .join(' ')
}
