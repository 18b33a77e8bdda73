// The plugins this process has loaded, kept to what kernel.plugin says. Every change of an operator ends here, in every
// kernel process: versions that somebody is to get are loaded, doors are set anew, versions nobody gets are let go.
import { isDeepStrictEqual } from 'node:util'
import type pg from 'pg'
import type { Logger } from 'pino'
import semver from 'semver'
import { isConnectionLoss } from '../data/database-failure.ts'
import { errors } from '../errors.ts'
import type { Tenant } from '../stages.ts'
import type { Refusal } from './discover-packages.ts'
import { type FolderParts, makeStable } from './folder-version.ts'
import { loadInstallation, refusalOf } from './load-installation.ts'
import { type LoadedPlugin, type LoadParts, loadPlugin } from './load-plugin.ts'
import { unservable } from './module-needs.ts'
import { type PluginRow, readCode, readPlugins } from './plugin-store.ts'
import { type ServedModule, servedModule, wantedVersions } from './served-module.ts'

/**
 * Sets the ways into the modules. Resolves when new requests go them and nobody is inside a module that is held;
 * `emptied` resolves when nobody is inside a version that is no longer served.
 */
export type OpenDoors = (
  served: ReadonlyMap<string, ServedModule>,
  /** Those that are there for nobody: `held` lets callers wait. A module that is held keeps its versions. */
  unserved: ReadonlyMap<string, 'held' | 'closed'>,
) => Promise<{ readonly emptied: Promise<unknown> }>

/** A version that could not be loaded is tried again after so long, and after twice as long each time it fails again. */
const retryMs = 5_000
const longestRetryMs = 300_000

export interface PluginRegistry {
  /** The stable version of each module that is served. A view: it is always of now. */
  readonly plugins: ReadonlyMap<string, LoadedPlugin>
  readonly refusals: readonly Refusal[]
  /** @throws MODULE_UNAVAILABLE when the tenant's version cannot be served, MODULE_NOT_FOUND */
  pluginFor(tenant: Pick<Tenant, 'id' | 'modules'>, module: string): LoadedPlugin
  served(module: string): ServedModule | undefined
  /** Whether the module is among the installation's own packages. */
  isFromFolder(module: string): boolean
  /**
   * From now on, and at once, doors are opened for what is served. Rejects where that cannot be done: a process without
   * doors would say that there are no such modules, for as long as it takes to be tried again.
   */
  openWith(open: OpenDoors): Promise<void>
  /** Reads what is installed and acts on it. Resolves when new requests see it. Never rejects. */
  sync(): Promise<void>
  close(): Promise<void>
}

export async function createPluginRegistry(options: {
  readonly pool: pg.Pool
  readonly feed: FolderParts['feed']
  readonly askUpgrade: FolderParts['askUpgrade']
  readonly root: string
  readonly parts: LoadParts
  readonly log: Logger
}): Promise<PluginRegistry> {
  const { pool, parts, log } = options
  const owners = new Map((await readPlugins(pool)).map((row) => [row.module, row.package]))
  const folders = await loadInstallation(options.root, parts, owners)
  const refusals: Refusal[] = [...folders.refusals]
  const fromFolder = new Map(folders.plugins.map((plugin) => [plugin.manifest.name, plugin]))
  /** Every version this process has loaded, by module and version. */
  const loaded = new Map<string, Map<string, LoadedPlugin>>()
  for (const [module, plugin] of fromFolder) loaded.set(module, new Map([[plugin.version, plugin]]))
  /** Walled in otherwise than they are to be now; their successors are loaded. */
  const replaced: LoadedPlugin[] = []
  const served = new Map<string, ServedModule>()
  const plugins = new Map<string, LoadedPlugin>()
  let open: OpenDoors = async () => ({ emptied: Promise.resolve() })
  let syncing: Promise<void> = Promise.resolve()
  let retry: NodeJS.Timeout | undefined
  let retries = 0
  /** Of the last time that it was brought up to date. */
  let failure: unknown
  let closed = false

  const closeHosts = async (): Promise<void> => {
    const all = [...loaded.values()].flatMap((versions) => [...versions.values()])
    await Promise.all(all.map((plugin) => plugin.host.close()))
  }

  await firstServed().catch(async (error: unknown) => {
    await closeHosts()
    throw error
  })
  for (const refusal of refusals) log.warn({ package: refusal.package }, refusal.reason)

  /** Those of the folders that are to be the stable ones: their tables are brought up to date first. */
  async function firstServed(): Promise<void> {
    const rows = new Map((await readPlugins(pool)).map((row) => [row.module, row]))
    const stable = new Map<string, LoadedPlugin>()
    const loadStable = async (row: PluginRow | undefined) => {
      if (!row || row.stable === null) return
      const plugin = await load(row, row.stable).catch((error: unknown) => {
        if (isConnectionLoss(error)) throw error
        refusals.push(refusalOf(row.package, error))
        return undefined
      })
      if (plugin) stable.set(row.module, plugin)
      else stable.delete(row.module)
    }
    for (const [module, row] of rows) if (!isForward(row, fromFolder.get(module))) await loadStable(row)
    for (const [module, plugin] of fromFolder) {
      if (isForward(rows.get(module), plugin)) stable.set(module, plugin)
    }
    const drop = async (reasons: ReadonlyMap<string, unknown>, isForGood = true) => {
      for (const [module, reason] of reasons) {
        const plugin = stable.get(module)
        if (!plugin) continue
        refusals.push(refusalOf(plugin.package, reason))
        stable.delete(module)
        if (isForGood) fromFolder.delete(module)
        loaded.get(module)?.delete(plugin.version)
        await plugin.host.close()
      }
    }
    await drop(unservable(stable))
    for (const [module, plugin] of [...stable]) {
      if (plugin !== fromFolder.get(module)) continue
      const outcome = await makeStable(options, plugin).catch((error: unknown) => {
        // The plugin is as good as it was. Without the database nothing starts, and whoever starts us tries again.
        if (isConnectionLoss(error)) throw error
        return drop(new Map([[module, error]]))
      })
      if (outcome === 'asked') await loadStable(rows.get(module))
    }
    // What they need may yet be upgraded to.
    await drop(unservable(stable), false)
    await act(await readPlugins(pool))
  }

  async function load(row: PluginRow, version: string): Promise<LoadedPlugin> {
    const { module, hostPerTenant, jitless } = row
    const isolation = { hostPerTenant, jitless }
    const known = loaded.get(module)?.get(version)
    if (known && isDeepStrictEqual(known.isolation, isolation)) return known
    const code = await readCode(pool, module, version)
    // What is no longer among the installation's packages was taken away on purpose.
    if (code.source === 'folder' && !fromFolder.has(module)) throw new Error('is not installed any more')
    const plugin = await loadPlugin(code, parts, isolation)
    if (known) replaced.push(known)
    loaded.set(module, (loaded.get(module) ?? new Map<string, LoadedPlugin>()).set(version, plugin))
    return plugin
  }

  /** One module failing leaves the others as they should be. */
  async function act(rows: readonly PluginRow[]): Promise<void> {
    const next = new Map<string, ServedModule>()
    for (const row of rows) {
      if (row.state !== 'active' && row.state !== 'held') continue
      const versions = new Map<string, LoadedPlugin>()
      for (const version of wantedVersions(row)) {
        const plugin = await load(row, version).catch((error: unknown) => {
          log.error({ err: error, module: row.module, version }, 'a version of a plugin cannot be served')
          syncLater()
          return undefined
        })
        if (plugin) versions.set(version, plugin)
      }
      if (versions.size > 0) next.set(row.module, servedModule(row, versions))
    }
    const stable = [...next].flatMap(([module, one]) => (one.stable ? [[module, one.stable] as const] : []))
    for (const [module, reason] of unservable(new Map(stable))) {
      next.delete(module)
      log.error({ module }, `the module cannot be served: it ${reason}`)
    }
    served.clear()
    plugins.clear()
    for (const [module, one] of next) {
      served.set(module, one)
      if (one.stable) plugins.set(module, one.stable)
    }
    const unserved = new Map<string, 'held' | 'closed'>()
    for (const { module, state } of rows) {
      if (state === 'held') unserved.set(module, 'held')
      else if (state !== 'installing' && !next.has(module)) unserved.set(module, 'closed')
    }
    const gone = [
      ...replaced.splice(0),
      ...[...loaded].flatMap(([module, versions]) =>
        [...versions.values()].filter((plugin) => !next.get(module)?.versions.has(plugin.version)),
      ),
    ]
    for (const plugin of gone)
      if (!next.get(plugin.manifest.name)?.versions.has(plugin.version))
        loaded.get(plugin.manifest.name)?.delete(plugin.version)
    const { emptied } = await open(next, unserved)
    // Who is inside finishes on the version it entered; its host closes after it.
    void emptied
      .then(() => Promise.all(gone.map((plugin) => plugin.host.close())))
      .catch((error: unknown) => log.error({ err: error }, 'a version of a plugin did not end'))
  }

  async function sync(): Promise<void> {
    if (closed) return
    clearTimeout(retry)
    retry = undefined
    try {
      await act(await readPlugins(pool))
      failure = undefined
      if (!retry) retries = 0
    } catch (error) {
      failure = error
      log.error({ err: error }, 'the plugins could not be brought up to date')
      syncLater()
    }
  }

  function syncLater(): void {
    if (retry) return
    retry = setTimeout(queueSync, Math.min(retryMs * 2 ** retries, longestRetryMs))
    retry.unref()
    retries += 1
  }

  /** One at a time, in the order in which they were asked for. */
  function queueSync(): Promise<void> {
    syncing = syncing.then(sync)
    return syncing
  }

  return {
    plugins,
    refusals,
    pluginFor(tenant, module) {
      const one = served.get(module)
      if (!one) throw errors.moduleNotFound({ module })
      const plugin = one.pluginFor(tenant)
      if (!plugin) throw errors.moduleUnavailable({ module })
      return plugin
    },
    served: (module) => served.get(module),
    isFromFolder: (module) => fromFolder.has(module),
    async openWith(openDoors) {
      open = openDoors
      await queueSync()
      if (failure !== undefined) throw failure
    },
    sync: queueSync,
    async close() {
      closed = true
      clearTimeout(retry)
      await syncing
      await closeHosts()
    },
  }
}

/** The folder holds what the operator wants, unless he has installed something newer than it from a registry. */
function isForward(row: PluginRow | undefined, plugin: LoadedPlugin | undefined): boolean {
  if (!plugin) return false
  if (!row || row.stable === null || row.stable === plugin.version) return true
  // A version that was rolled back stays so, whatever lies in the folder.
  return row.previous !== plugin.version && semver.gt(plugin.version, row.stable)
}
