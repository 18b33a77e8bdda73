// The doors of the modules that are served: an instance for every loaded version, and which of them a caller enters.
// Lends each request its unit of work.
import type { IncomingHttpHeaders } from 'node:http'
import type { Logger } from 'pino'
import { Spending } from '../broker/spending.ts'
import type { Work } from '../broker/work.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { withUnitOfWork } from '../data/unit-of-work.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { OpenDoors, PluginRegistry } from '../registry/plugin-registry.ts'
import { type ServedModule, wantedVersions } from '../registry/served-module.ts'
import { createWorks } from '../sandbox/invoke.ts'
import { defaultLimits } from '../sandbox/limits.ts'
import type { Permitted } from '../stages.ts'
import type { Instance } from './create-instance.ts'
import type { Door, FrontDoor } from './front-door.ts'
import type { Ladder } from './ladder.ts'
import { createModuleInstance } from './module-instance.ts'
import { type ApiDocument, documentOf } from './openapi.ts'

export interface ModuleDoors {
  /** See OpenDoors in registry/plugin-registry.ts. */
  open(frontDoor: FrontDoor, ...modules: Parameters<OpenDoors>): ReturnType<OpenDoors>
  /** The API of a version that is served. */
  documentOf(plugin: LoadedPlugin): ApiDocument | undefined
}

interface Opened {
  readonly instance: Instance
  readonly document: ApiDocument
}

export function createModuleDoors(parts: {
  readonly registry: Pick<PluginRegistry, 'pluginFor' | 'served'>
  readonly ladder: Ladder
  readonly connections: TenantConnections
  readonly log: Logger
  readonly debugErrors: boolean
  readonly isClosing: () => boolean
  /** Told of every answer of a module. */
  readonly onAnswer: (plugin: LoadedPlugin, status: number) => void
}): ModuleDoors {
  const { registry, ladder, connections, log } = parts
  const makeWork = createWorks({ registry, log })
  const opened = new Map<LoadedPlugin, Opened>()
  const modules = new Set<string>()

  const withWork = <T>(stage: Permitted, work: (work: Work) => Promise<T>): Promise<T> =>
    withUnitOfWork(
      connections,
      {
        tenant: stage.tenant.id,
        actor: stage.actor.id,
        requestId: stage.requestId,
        // Longer than the handler may take, so that its own deadline is the one that is told.
        deadlineMs: defaultLimits.request.wallMs + 5_000,
      },
      async (unit) => {
        const { plugin, tenant, actor, ability, requestId } = stage
        const spending = new Spending(defaultLimits.request)
        const result = await work(makeWork({ plugin, tenant, actor, ability, requestId, unit, spending }))
        spending.confirm()
        return result
      },
    )

  async function instanceOf(plugin: LoadedPlugin): Promise<Instance> {
    const known = opened.get(plugin)
    if (known) return known.instance
    const instance = await createModuleInstance(
      { plugin, ladder, connections, withWork },
      {
        log: log.child({ module: plugin.manifest.name }),
        debugErrors: parts.debugErrors,
        isClosing: parts.isClosing,
        onAnswer: (status) => parts.onAnswer(plugin, status),
      },
    )
    opened.set(plugin, { instance, document: documentOf(instance) })
    return instance
  }

  async function doorOf(module: ServedModule, closed: Door): Promise<Door> {
    const instances = await Promise.all([...module.versions.values()].map(instanceOf))
    // Whoever is nobody's member is refused by any of them.
    const usual = module.stable ? await instanceOf(module.stable) : (instances[0] ?? closed.usual)
    if (wantedVersions(module.row).size === 1) return { usual, instances }
    const choose = async (headers: IncomingHttpHeaders): Promise<Instance | undefined> => {
      const tenant = await ladder.tenantOf(headers)
      if (!tenant) return undefined
      const plugin = module.pluginFor(tenant)
      return (plugin && opened.get(plugin)?.instance) ?? closed.usual
    }
    return { usual, instances, choose }
  }

  return {
    async open(frontDoor, served, unserved) {
      const doors = new Map<string, Door | undefined>()
      for (const module of modules) doors.set(module, undefined)
      for (const module of unserved.keys()) doors.set(module, frontDoor.closed)
      for (const [module, one] of served) doors.set(module, await doorOf(one, frontDoor.closed))
      modules.clear()
      for (const [module, door] of doors) if (door) modules.add(module)
      const kept = new Set([...served.values()].flatMap((module) => [...module.versions.values()]))
      const gone = [...opened.keys()].filter((plugin) => !kept.has(plugin))
      for (const plugin of gone) opened.delete(plugin)
      const waitedFor: Promise<void>[] = []
      const leaving: Promise<void>[] = []
      for (const [module, door] of doors) {
        if (unserved.get(module) === 'held') waitedFor.push(frontDoor.hold(module))
        // The tables of a module that nobody is served may go next: those inside leave first.
        else if (!served.has(module)) waitedFor.push(frontDoor.set(module, door))
        else leaving.push(frontDoor.set(module, door))
      }
      await Promise.all(waitedFor)
      if (gone.some(({ manifest }) => !served.has(manifest.name))) connections.renew()
      return { emptied: Promise.all(leaving) }
    },
    documentOf: (plugin) => opened.get(plugin)?.document,
  }
}
