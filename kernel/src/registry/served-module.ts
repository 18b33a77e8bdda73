// One module as it is served: which versions are loaded, and which of them a tenant gets.
import { createHash } from 'node:crypto'
import type { Tenant } from '../stages.ts'
import type { LoadedPlugin } from './load-plugin.ts'
import type { PluginRow } from './plugin-store.ts'

/** Versions that somebody may get. */
export const wantedVersions = (row: PluginRow): Set<string> =>
  new Set([row.stable, row.beta, row.candidate, ...row.pinned].filter((version) => version !== null))

/** From 0 to 99, the same for ever: of a canary of 10 percent it is always the same tenants. */
const bucketOf = (tenant: string): number =>
  createHash('sha256').update(tenant).digest().readUInt32BE(0) % 100

export const inCanary = (
  row: Pick<PluginRow, 'candidate' | 'canaryPercent' | 'canaryTenants'>,
  tenant: string,
): boolean =>
  row.candidate !== null &&
  ((row.canaryTenants ?? []).includes(tenant) || bucketOf(tenant) < (row.canaryPercent ?? 0))

/** The version a tenant is to get: pinned, else its channel's, else the one on trial, else the stable one. */
export function versionFor(
  row: PluginRow,
  tenant: Pick<Tenant, 'id' | 'modules'>,
): string | null | undefined {
  const choice = tenant.modules.get(row.module)
  if (choice?.pinned !== undefined) return choice.pinned
  if (choice?.channel === 'beta' && row.beta !== null) return row.beta
  return inCanary(row, tenant.id) ? row.candidate : row.stable
}

export interface ServedModule {
  readonly row: PluginRow
  readonly stable: LoadedPlugin | undefined
  /** By version. */
  readonly versions: ReadonlyMap<string, LoadedPlugin>
  /** Undefined when the version the tenant is to get cannot be served: another one is no replacement. */
  pluginFor(tenant: Pick<Tenant, 'id' | 'modules'>): LoadedPlugin | undefined
}

export function servedModule(row: PluginRow, versions: ReadonlyMap<string, LoadedPlugin>): ServedModule {
  return {
    row,
    versions,
    stable: versions.get(row.stable ?? ''),
    pluginFor: (tenant) => versions.get(versionFor(row, tenant) ?? ''),
  }
}
