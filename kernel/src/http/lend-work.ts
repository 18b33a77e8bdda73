// Lends work in a module its unit of work: one transaction, the limits of one request, and the tenant's turn in the
// plugin. For requests, and for what the kernel itself asks of a module.
import type { Logger } from 'pino'
import { originOf } from '../audit/write-audit.ts'
import type { Spending } from '../broker/spending.ts'
import type { Announcement } from '../data/change-feed.ts'
import { isDatabaseFailure } from '../data/database-failure.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { withUnitOfWork } from '../data/unit-of-work.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { createWorks, type WorkParts } from '../sandbox/invoke.ts'
import { refusalOf, stateRules } from '../tenants/tenant-states.ts'
import type { WithWork } from './module-parts.ts'
import { type SpendingParts, spendingLender } from './request-spending.ts'

/** read_only_sql_transaction */
const isRefusedWrite = (error: unknown): boolean => isDatabaseFailure(error) && error.code === '25006'

export interface WorkLenderParts extends Omit<WorkParts, 'watcher'> {
  readonly connections: TenantConnections
  readonly spendings: SpendingParts
  readonly log: Logger
  /** What others keep in memory of a tenant's records, by the modules in which some were changed. */
  readonly tell: (tenant: string, changed: ReadonlySet<string>) => Announcement | undefined
}

export interface WorkLender {
  readonly withWork: WithWork
  /** Of a stage, while its request lasts. */
  spendingOf(stage: object): Spending | undefined
}

export function createWorkLender(parts: WorkLenderParts, off: DefencesOff = allStand): WorkLender {
  const { connections, spendings, log, tell } = parts
  const makeWork = createWorks({ ...parts, watcher: spendings.metrics }, off)
  const lendSpending = spendingLender(spendings, log, off)
  const spent = new WeakMap<object, Spending>()

  const withWork: WithWork = (stage, work, { entersPlugin = false } = {}) =>
    lendSpending(stage, async (spending) => {
      spent.set(stage, spending)
      const { plugin, tenant, actor, ability, requestId, onBehalfOf } = stage
      const { wallMs } = spending.remaining(plugin.manifest.name)
      const leave = entersPlugin
        ? await plugin.host.admit?.(plugin.manifest.name, tenant.id, wallMs)
        : undefined
      const scope = {
        tenant: tenant.id,
        actor: actor.id,
        requestId,
        ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
        origin: originOf(stage),
        // Longer than the handlers may take, so that their own deadline is the one that is told.
        deadlineMs: spending.limits.wall + 5_000,
        // Also in a GET: what its handler does is the plugin's.
        readOnly: !stateRules[tenant.state].writes && !off.has('tenantState'),
        tell: (changed: ReadonlySet<string>) => tell(tenant.id, changed),
      }
      try {
        return await withUnitOfWork(connections, scope, async (unit) => {
          const isAdmitted = leave !== undefined
          const options = { plugin, tenant, actor, ability, requestId, unit, spending, isAdmitted }
          const result = await work(makeWork(options))
          spending.confirm()
          return result
        })
      } catch (error) {
        throw scope.readOnly && isRefusedWrite(error) ? refusalOf(tenant) : error
      } finally {
        leave?.()
      }
    })

  return { withWork, spendingOf: (stage) => spent.get(stage) }
}
