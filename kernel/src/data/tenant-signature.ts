// The signed form of the tenant setting: whoever can say SET cannot say which tenant he is. Verified in the database by
// kernel.tenant_id() (bootstrap/tenant-function.ts), which computes the same.
import { createHmac, hash } from 'node:crypto'

export type TenantKey = Buffer

/** Derived, so that every kernel process of an installation has the same. */
export const tenantKey = (secret: string): TenantKey =>
  createHmac('sha256', secret).update('tenant setting').digest()

/**
 * `<tenant>.<hex>`: good on the one backend, so that what one session has seen is of no use in another. Hashed twice
 * with the key in front, as HMAC does: PostgreSQL has sha256 built in, but hmac in an extension only.
 */
export function signTenant(key: TenantKey, tenant: string, backend: number): string {
  const inner = hash('sha256', Buffer.concat([key, Buffer.from(tenant + backend)]), 'buffer')
  return `${tenant}.${hash('sha256', Buffer.concat([key, inner]), 'hex')}`
}
