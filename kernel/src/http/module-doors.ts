// The doors of the modules that are served: an instance for every loaded version, and which of them a caller enters.
// Lends each request its unit of work.
import type { IncomingHttpHeaders } from 'node:http'
import type { Logger } from 'pino'
import type { Spending } from '../broker/spending.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { withUnitOfWork } from '../data/unit-of-work.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import type { Outside } from '../outside/outside.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { ServedModule } from '../registry/served-module.ts'
import { createWorks } from '../sandbox/invoke.ts'
import type { Instance } from './create-instance.ts'
import type { Door, FrontDoor } from './front-door.ts'
import type { Ladder } from './ladder.ts'
import { createModuleInstance } from './module-instance.ts'
import type { WithWork } from './module-parts.ts'
import { type ApiDocument, documentOf } from './openapi.ts'
import { type SpendingParts, spendingLender } from './request-spending.ts'

export interface ModuleDoors {
  /** See OpenDoors in registry/plugin-registry.ts. */
  open(
    frontDoor: FrontDoor,
    served: ReadonlyMap<string, ServedModule>,
    held: ReadonlySet<string>,
  ): Promise<void>
  /** The API of a version that is served. */
  documentOf(plugin: LoadedPlugin): ApiDocument | undefined
}

interface Opened {
  readonly instance: Instance
  readonly document: ApiDocument
}

export interface ModuleDoorsParts {
  readonly registry: Pick<PluginRegistry, 'pluginFor' | 'served'>
  readonly ladder: Ladder
  readonly connections: TenantConnections
  readonly outside: Outside
  readonly spendings: SpendingParts
  readonly log: Logger
  readonly debugErrors: boolean
  readonly isClosing: () => boolean
  /** Told of every answer of a module. */
  readonly onAnswer: (plugin: LoadedPlugin, status: number) => void
}

export function createModuleDoors(parts: ModuleDoorsParts, off: DefencesOff = allStand): ModuleDoors {
  const { registry, ladder, connections, spendings, log } = parts
  const workParts = { registry, outside: parts.outside, log, watcher: spendings.metrics }
  const makeWork = createWorks(workParts, off)
  const lendSpending = spendingLender(spendings, log, off)
  /** By the request's stage, while the request lasts. */
  const spent = new WeakMap<object, Spending>()
  const opened = new Map<LoadedPlugin, Opened>()
  const modules = new Set<string>()

  const withWork: WithWork = (stage, work, { entersPlugin = false } = {}) =>
    lendSpending(stage, async (spending) => {
      spent.set(stage, spending)
      const { plugin, tenant, actor, ability, requestId } = stage
      const { wallMs } = spending.remaining(plugin.manifest.name)
      const leave = entersPlugin
        ? await plugin.host.admit?.(plugin.manifest.name, tenant.id, wallMs)
        : undefined
      const scope = {
        tenant: tenant.id,
        actor: actor.id,
        requestId,
        // Longer than the handlers may take, so that their own deadline is the one that is told.
        deadlineMs: spending.limits.wall + 5_000,
      }
      try {
        return await withUnitOfWork(connections, scope, async (unit) => {
          const isAdmitted = leave !== undefined
          const options = { plugin, tenant, actor, ability, requestId, unit, spending, isAdmitted }
          const result = await work(makeWork(options))
          spending.confirm()
          return result
        })
      } finally {
        leave?.()
      }
    })

  async function instanceOf(plugin: LoadedPlugin): Promise<Instance> {
    const known = opened.get(plugin)
    if (known) return known.instance
    const module = plugin.manifest.name
    const instance = await createModuleInstance(
      { plugin, ladder, connections, withWork, spentBy: (stage) => spent.get(stage)?.summary() },
      {
        log: log.child({ module }),
        debugErrors: parts.debugErrors,
        isClosing: parts.isClosing,
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

  async function doorOf(module: ServedModule): Promise<Door | undefined> {
    const plugins = [...module.versions.values()]
    const instances = await Promise.all(plugins.map(instanceOf))
    const usual = module.stable ? await instanceOf(module.stable) : instances[0]
    if (!usual) return undefined
    const isForAll =
      instances.length === 1 && module.row.pinned.every((version) => module.versions.has(version))
    if (isForAll) return { usual, instances }
    const choose = async (headers: IncomingHttpHeaders): Promise<Instance | undefined> => {
      const tenant = await ladder.tenantOf(headers)
      const plugin = tenant && module.pluginFor(tenant)
      return plugin && opened.get(plugin)?.instance
    }
    return { usual, instances, choose }
  }

  return {
    async open(frontDoor, served, held) {
      const doors: [string, Door | undefined][] = []
      for (const module of new Set([...modules, ...served.keys()])) {
        const one = served.get(module)
        doors.push([module, one && (await doorOf(one))])
      }
      modules.clear()
      for (const module of served.keys()) modules.add(module)
      const kept = new Set([...served.values()].flatMap((module) => [...module.versions.values()]))
      for (const plugin of opened.keys()) if (!kept.has(plugin)) opened.delete(plugin)
      await Promise.all(
        doors.map(([module, door]) =>
          held.has(module) ? frontDoor.hold(module) : frontDoor.set(module, door),
        ),
      )
    },
    documentOf: (plugin) => opened.get(plugin)?.document,
  }
}
