// One module as it is served: which versions are loaded, and the one of them that a tenant gets.
import { versionFor } from '../entitlements/tenant-version.ts'
import type { Tenant } from '../stages.ts'
import type { LoadedPlugin } from './load-plugin.ts'
import type { PluginRow } from './plugin-store.ts'

/** Versions that somebody may get. */
export const wantedVersions = (row: PluginRow): Set<string> =>
  new Set([row.stable, row.beta, row.candidate, ...row.pinned].filter((version) => version !== null))

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
