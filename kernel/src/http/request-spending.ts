// The spending of one request: its limits looked up, its warnings logged, and what it used told to metrics and usage.
import type { Logger } from 'pino'
import type { CpuBudgets } from '../broker/cpu-budget.ts'
import { Spending } from '../broker/spending.ts'
import type { DefencesOff } from '../defences.ts'
import { limitRows } from '../entitlements/governor-limits.ts'
import type { LimitDirectory } from '../entitlements/limit-directory.ts'
import { errors, isPlinthError } from '../errors.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { UsageCounter } from '../telemetry/usage-counter.ts'
import type { WorkStage } from './module-parts.ts'

export interface SpendingParts {
  readonly limits: LimitDirectory
  readonly budgets: CpuBudgets
  readonly metrics: Metrics
  readonly usage: UsageCounter
}

/** Lends a Spending to `work`; what it has used counts whether the work succeeds or not. */
export type LendSpending = <T>(stage: WorkStage, work: (spending: Spending) => Promise<T>) => Promise<T>

export function spendingLender(parts: SpendingParts, log: Logger, off: DefencesOff): LendSpending {
  const { limits, budgets, metrics, usage } = parts

  function report(tenant: string, spending: Spending): void {
    for (const [module, uses] of spending.byModule()) {
      for (const [limit, amount] of uses) {
        if (!limitRows[limit].isHeight) usage.add(tenant, module, limit, amount)
      }
    }
  }

  function reportFailure(tenant: string, entered: string, error: unknown): void {
    if (!isPlinthError(error)) return
    const isDeadline = error.code === errors.pluginDeadline.code
    if (!isDeadline && error.code !== errors.limitExceeded.code) return
    const { module, limit } = error.data
    const name = typeof module === 'string' ? module : entered
    metrics.limitHit(name, isDeadline || typeof limit !== 'string' ? 'wall' : limit)
    usage.add(tenant, name, 'limitHits', 1)
  }

  return async (stage, work) => {
    const { tenant, plugin, requestId } = stage
    const entered = plugin.manifest.name
    const limitsIn = await limits.limitsOf(tenant)
    const spending = new Spending(
      {
        // Nobody waits for what is done in the background.
        limits: limitsIn(entered, stage.task ? 'job' : 'request'),
        minute: budgets(tenant.id, (module) => limitsIn(module, 'request').cpuPerMinute),
        onWarning: (use) =>
          log.warn({ ...use, tenant: tenant.slug, requestId }, 'a request has used most of a limit'),
      },
      off,
    )
    try {
      return await work(spending)
    } catch (error) {
      reportFailure(tenant.id, entered, error)
      throw error
    } finally {
      report(tenant.id, spending)
    }
  }
}
