// Opens a door for every loaded plugin, and lends each request its unit of work.
import type { Logger } from 'pino'
import type { Spending } from '../broker/spending.ts'
import type { Work } from '../broker/work.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { withUnitOfWork } from '../data/unit-of-work.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import { createWorks } from '../sandbox/invoke.ts'
import type { Permitted } from '../stages.ts'
import type { FrontDoor } from './front-door.ts'
import type { Ladder } from './ladder.ts'
import { createModuleInstance } from './module-instance.ts'
import { type ApiDocument, documentOf } from './openapi.ts'
import { type SpendingParts, spendingLender } from './request-spending.ts'

export interface ModuleDoors {
  openAll(frontDoor: FrontDoor): Promise<void>
  /** The API of an open module. */
  documentOf(module: string): ApiDocument | undefined
}

export function createModuleDoors(
  parts: {
    readonly plugins: ReadonlyMap<string, LoadedPlugin>
    readonly ladder: Ladder
    readonly connections: TenantConnections
    readonly spendings: SpendingParts
    readonly log: Logger
    readonly debugErrors: boolean
    readonly isClosing: () => boolean
  },
  off: DefencesOff = allStand,
): ModuleDoors {
  const { plugins, ladder, connections, spendings, log } = parts
  const makeWork = createWorks({ plugins, log, watcher: spendings.metrics })
  const lendSpending = spendingLender(spendings, log, off)
  /** By the request's stage, while the request lasts. */
  const spent = new WeakMap<object, Spending>()
  const documents = new Map<string, ApiDocument>()

  const withWork = <T>(stage: Permitted, work: (work: Work) => Promise<T>): Promise<T> =>
    lendSpending(stage, (spending) => {
      spent.set(stage, spending)
      const { plugin, tenant, actor, ability, requestId } = stage
      const scope = {
        tenant: tenant.id,
        actor: actor.id,
        requestId,
        // Longer than the handlers may take, so that their own deadline is the one that is told.
        deadlineMs: spending.limits.wall + 5_000,
      }
      return withUnitOfWork(connections, scope, async (unit) => {
        const result = await work(makeWork({ plugin, tenant, actor, ability, requestId, unit, spending }))
        spending.confirm()
        return result
      })
    })

  return {
    async openAll(frontDoor) {
      for (const [module, plugin] of plugins) {
        const instance = await createModuleInstance(
          { plugin, ladder, connections, withWork, spentBy: (stage) => spent.get(stage)?.summary() },
          {
            log: log.child({ module }),
            debugErrors: parts.debugErrors,
            isClosing: parts.isClosing,
            watchRequest: ({ method, status, seconds, tenant }) => {
              spendings.metrics.request(module, method, status, seconds)
              if (tenant !== undefined) spendings.usage.add(tenant, module, 'requests', 1)
            },
          },
        )
        documents.set(module, documentOf(instance))
        frontDoor.open(module, instance)
      }
    },
    documentOf: (module) => documents.get(module),
  }
}
