// Which version of a module a tenant gets.
import { createHash } from 'node:crypto'
import type { PluginRow } from '../registry/plugin-store.ts'
import type { Tenant } from '../stages.ts'

/** From 0 to 99, the same for ever: of a canary of 10 percent it is always the same tenants. */
const bucketOf = (tenant: string): number =>
  createHash('sha256').update(tenant).digest().readUInt32BE(0) % 100

export const inCanary = (
  row: Pick<PluginRow, 'candidate' | 'canaryPercent' | 'canaryTenants'>,
  tenant: string,
): boolean =>
  row.candidate !== null &&
  ((row.canaryTenants ?? []).includes(tenant) || bucketOf(tenant) < (row.canaryPercent ?? 0))

/** What decides which version a tenant gets. */
export type ServedRow = Pick<
  PluginRow,
  'module' | 'stable' | 'beta' | 'candidate' | 'canaryPercent' | 'canaryTenants'
>

/** The version a tenant is to get: pinned, else its channel's, else the one on trial, else the stable one. */
export function versionFor(
  row: ServedRow,
  tenant: Pick<Tenant, 'id' | 'modules'>,
): string | null | undefined {
  const choice = tenant.modules.get(row.module)
  if (choice?.pinned !== undefined) return choice.pinned
  if (choice?.channel === 'beta' && row.beta !== null) return row.beta
  return inCanary(row, tenant.id) ? row.candidate : row.stable
}
