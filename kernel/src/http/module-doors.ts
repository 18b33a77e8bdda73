// The doors of the modules that are served: an instance for every loaded version, and which of them a caller
// enters.
import type { Logger } from 'pino'
import type { TenantConnections } from '../data/tenant-connections.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { OpenDoors } from '../registry/plugin-registry.ts'
import { type ServedModule, wantedVersions } from '../registry/served-module.ts'
import type { IsTrusted, RequestHead } from '../tenants/request-head.ts'
import type { Instance } from './create-instance.ts'
import type { Door, FrontDoor } from './front-door.ts'
import type { Hygiene } from './hygiene/hygiene.ts'
import type { Ladder } from './ladder.ts'
import type { WorkLender } from './lend-work.ts'
import { createModuleInstance } from './module-instance.ts'
import type { ModuleParts } from './module-parts.ts'
import { type ApiDocument, documentOf } from './openapi.ts'
import type { NameDecision } from './problem.ts'
import type { SpendingParts } from './request-spending.ts'

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

export interface ModuleDoorsParts {
  readonly ladder: Ladder
  readonly connections: TenantConnections
  readonly trail: ModuleParts['trail']
  readonly works: WorkLender
  readonly spendings: Pick<SpendingParts, 'metrics' | 'usage'>
  readonly log: Logger
  readonly debugErrors: boolean
  readonly isClosing: () => boolean
  readonly hygiene: Hygiene
  readonly isTrusted: IsTrusted
  readonly nameDecision: NameDecision
  /** Told of every answer of a module. */
  readonly onAnswer: (plugin: LoadedPlugin, status: number) => void
}

export function createModuleDoors(parts: ModuleDoorsParts): ModuleDoors {
  const { ladder, connections, works, spendings, log } = parts
  const { withWork } = works
  const opened = new Map<LoadedPlugin, Opened>()
  const modules = new Set<string>()

  async function instanceOf(plugin: LoadedPlugin): Promise<Instance> {
    const known = opened.get(plugin)
    if (known) return known.instance
    const module = plugin.manifest.name
    const instance = await createModuleInstance(
      {
        plugin,
        ladder,
        connections,
        trail: parts.trail,
        withWork,
        spentBy: (stage) => works.spendingOf(stage)?.summary(),
      },
      {
        log: log.child({ module }),
        debugErrors: parts.debugErrors,
        isClosing: parts.isClosing,
        hygiene: parts.hygiene,
        isTrusted: parts.isTrusted,
        nameDecision: parts.nameDecision,
        watchRequest({ method, status, seconds, tenant }) {
          parts.onAnswer(plugin, status)
          spendings.metrics.request(module, method, status, seconds)
          if (tenant !== undefined) spendings.usage.add(tenant, module, 'requests', 1)
        },
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
    const choose = async (head: RequestHead): Promise<Instance | undefined> => {
      const tenant = await ladder.tenantOf(head)
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
