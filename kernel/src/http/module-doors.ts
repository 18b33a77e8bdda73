// Opens a door for every loaded plugin, and lends each request its unit of work.
import type { Logger } from 'pino'
import { Spending } from '../broker/spending.ts'
import type { Work } from '../broker/work.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { withUnitOfWork } from '../data/unit-of-work.ts'
import type { Outside } from '../outside/outside.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import { createWorks } from '../sandbox/invoke.ts'
import { defaultLimits } from '../sandbox/limits.ts'
import type { Permitted } from '../stages.ts'
import type { FrontDoor } from './front-door.ts'
import type { Ladder } from './ladder.ts'
import { createModuleInstance } from './module-instance.ts'
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
  readonly outside: Outside
  readonly log: Logger
  readonly debugErrors: boolean
  readonly isClosing: () => boolean
}): ModuleDoors {
  const { plugins, ladder, connections, log } = parts
  const makeWork = createWorks({ plugins, outside: parts.outside, log })
  const documents = new Map<string, ApiDocument>()

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
