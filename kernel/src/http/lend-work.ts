// Lends work in a module its unit of work: one transaction, the limits of one request, and the tenant's turn in the
// plugin. For requests, and for what the kernel itself asks of a module.
import type { Logger } from 'pino'
import { originOf } from '../audit/write-audit.ts'
import type { Spending } from '../broker/spending.ts'
import type { Work } from '../broker/work.ts'
import type { Announcement } from '../data/change-feed.ts'
import { isDatabaseFailure } from '../data/database-failure.ts'
import type { CurrentRequest } from '../data/idempotent-request.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { createWorks, type WorkParts } from '../sandbox/invoke.ts'
import type { Tenant } from '../stages.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import { refusalOf, stateRules } from '../tenants/tenant-states.ts'
import { withClaim } from './hygiene/with-claim.ts'
import type { WithWork, WorkStage } from './module-parts.ts'
import { type SpendingParts, spendingLender } from './request-spending.ts'

/** read_only_sql_transaction */
const isRefusedWrite = (error: unknown): boolean => isDatabaseFailure(error) && error.code === '25006'

export interface WorkLenderParts extends Omit<WorkParts, 'watcher'> {
  readonly connections: TenantConnections
  readonly directory: Pick<TenantDirectory, 'find'>
  readonly spendings: SpendingParts
  readonly log: Logger
  readonly current: CurrentRequest
  /** What others keep in memory of a tenant's records, by the modules in which some were changed. */
  readonly tell: (tenant: string, changed: ReadonlySet<string>) => Announcement | undefined
  /** Told when events were committed: somebody may have to act on them. */
  readonly emitted: () => void
  readonly tasksAdded: Work['tasksAdded']
}

export interface WorkLender {
  readonly withWork: WithWork
  /** Of a stage, while its request lasts. */
  spendingOf(stage: object): Spending | undefined
  /** Resolves when no work of the tenant is under way here. */
  emptied(tenant: string): Promise<void>
}

/** Jobs take their time: they have places of their own, so that their tenant's requests do not wait behind them. */
const placeOf = ({ tenant, job }: WorkStage): string => (job ? `${tenant.id} jobs` : tenant.id)

export function createWorkLender(parts: WorkLenderParts, off: DefencesOff = allStand): WorkLender {
  const { connections, spendings, log, tell, current } = parts
  const makeWork = createWorks({ ...parts, watcher: spendings.metrics }, off)
  const lendSpending = spendingLender(spendings, log, off)
  const spent = new WeakMap<object, Spending>()

  /** By tenant, while there is any. */
  const underWay = new Map<string, { count: number; leave: () => void; left: Promise<void> }>()

  async function counted<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    const here = underWay.get(tenant) ?? { count: 0, leave, left }
    here.count += 1
    underWay.set(tenant, here)
    try {
      return await work()
    } finally {
      here.count -= 1
      if (here.count === 0) {
        underWay.delete(tenant)
        here.leave()
      }
    }
  }

  /** As it is now: a body may have been on its way for long since the caller was located. */
  async function stateNow(tenant: Tenant): Promise<Tenant> {
    const now = (await parts.directory.find(tenant.id)) ?? tenant
    if (stateRules[now.state].enters === 'nobody' && !off.has('tenantState')) throw refusalOf(now)
    return now
  }

  const withWork: WithWork = (stage, work, options) =>
    counted(stage.tenant.id, () => workIn(stage, work, options))

  const workIn: WithWork = (stage, work, { entersPlugin = false, answer } = {}) =>
    lendSpending(stage, async (spending) => {
      spent.set(stage, spending)
      const { plugin, tenant, actor, ability, requestId, onBehalfOf } = stage
      const now = await stateNow(tenant)
      const { wallMs } = spending.remaining(plugin.manifest.name)
      const leave = entersPlugin
        ? await plugin.host.admit?.(plugin.manifest.name, placeOf(stage), wallMs)
        : undefined
      const own = {
        tenant: tenant.id,
        actor: actor.id,
        requestId,
        origin: { ...originOf(stage), ...(stage.via === undefined ? {} : { via: stage.via }) },
        ...(stage.task === undefined ? {} : { task: stage.task }),
        emitted: parts.emitted,
        // Longer than the handlers may take, so that their own deadline is the one that is told.
        deadlineMs: spending.limits.wall + 5_000,
        tell: (changed: ReadonlySet<string>) => tell(tenant.id, changed),
        // Also in a GET: what its handler does is the plugin's.
        readOnly: !stateRules[now.state].writes && !off.has('tenantState'),
      }
      const scope = onBehalfOf === undefined ? own : { ...own, onBehalfOf }
      // What only reads cannot be done twice.
      const request = scope.readOnly ? undefined : current.getStore()
      try {
        return await withClaim({ connections, scope, request, answer }, async (unit) => {
          const isAdmitted = leave !== undefined
          const { job } = stage
          const { tasksAdded } = parts
          const options = {
            plugin,
            tenant,
            actor,
            ability,
            requestId,
            unit,
            spending,
            isAdmitted,
            job,
            tasksAdded,
          }
          const result = await work(makeWork(options))
          spending.confirm()
          return result
        })
      } catch (error) {
        throw scope.readOnly && isRefusedWrite(error) ? refusalOf(now) : error
      } finally {
        // A service that its caller did not wait for would go on without the tenant's place.
        spending.end(plugin.manifest.name)
        leave?.()
      }
    })

  return {
    withWork,
    spendingOf: (stage) => spent.get(stage),
    emptied: async (tenant) => underWay.get(tenant)?.left,
  }
}
