// Opens a door for every loaded plugin, and lends each request its unit of work.
import type { Logger } from 'pino'
import { Spending } from '../broker/spending.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { withUnitOfWork } from '../data/unit-of-work.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import { createWorks } from '../sandbox/invoke.ts'
import { defaultLimits } from '../sandbox/limits.ts'
import type { FrontDoor } from './front-door.ts'
import type { Ladder } from './ladder.ts'
import { createModuleInstance } from './module-instance.ts'
import type { WithWork } from './module-parts.ts'
import { type ApiDocument, documentOf } from './openapi.ts'

export interface ModuleDoors {
  openAll(frontDoor: FrontDoor): Promise<void>
  /** The API of an open module. */
  documentOf(module: string): ApiDocument | undefined
}

export function createModuleDoors(parts: {
  readonly plugins: ReadonlyMap<string, LoadedPlugin>
  readonly ladder: Ladder
  readonly connections: TenantConnections
  readonly log: Logger
  readonly debugErrors: boolean
  readonly isClosing: () => boolean
}): ModuleDoors {
  const { plugins, ladder, connections, log } = parts
  const makeWork = createWorks({ plugins, log })
  const documents = new Map<string, ApiDocument>()

  const withWork: WithWork = async (stage, work, { entersPlugin = false } = {}) => {
    const { plugin, tenant, actor, ability, requestId } = stage
    const spending = new Spending(defaultLimits.request)
    const { wallMs } = spending.remaining(plugin.manifest.name)
    const leave = entersPlugin
      ? await plugin.host.admit?.(plugin.manifest.name, tenant.id, wallMs)
      : undefined
    try {
      return await withUnitOfWork(
        connections,
        {
          tenant: tenant.id,
          actor: actor.id,
          requestId,
          // Longer than the handler may take, so that its own deadline is the one that is told.
          deadlineMs: defaultLimits.request.wallMs + 5_000,
        },
        async (unit) => {
          const isAdmitted = leave !== undefined
          const options = { plugin, tenant, actor, ability, requestId, unit, spending, isAdmitted }
          const result = await work(makeWork(options))
          spending.confirm()
          return result
        },
      )
    } finally {
      leave?.()
    }
  }

  return {
    async openAll(frontDoor) {
      for (const [module, plugin] of plugins) {
        const instance = await createModuleInstance(
          { plugin, ladder, connections, withWork },
          { log: log.child({ module }), debugErrors: parts.debugErrors, isClosing: parts.isClosing },
        )
        documents.set(module, documentOf(instance))
        frontDoor.open(module, instance)
      }
    },
    documentOf: (module) => documents.get(module),
  }
}
