// Taking one job of a tenant in a module: when fewer of them run than its plan allows at once, and none whose rate is used
// up. What may be taken stands in kernel.claim_jobs.
import type { Limits } from '../entitlements/governor-limits.ts'
import type { LimitDirectory } from '../entitlements/limit-directory.ts'
import { isPlinthError } from '../errors.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Tenant } from '../stages.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import { claimStatement, workingStates } from './claim-tasks.ts'
import { type Lane, moduleOfQueue, type Task, type TaskRow, taskFromRow } from './task.ts'

export interface JobRuleParts {
  readonly registry: Pick<PluginRegistry, 'pluginFor'>
  readonly directory: Pick<TenantDirectory, 'find'>
  readonly limits: LimitDirectory
}

interface Rate {
  readonly job: string
  readonly max: number
  readonly seconds: number
}

interface JobRules {
  readonly atOnce: Limits['jobsAtOnce']
  readonly rates: readonly Rate[]
}

const claim = claimStatement('kernel.claim_jobs($1, $2, $3, $4, $5, $6, $7, $8)')

/** What the tenant's version of the module and its plan say; undefined when nothing can be done for it here and now. */
async function rulesFor(
  { registry, directory, limits }: JobRuleParts,
  tenantId: string,
  module: string,
): Promise<JobRules | undefined> {
  const tenant = await directory.find(tenantId)
  if (!tenant?.modules.has(module)) return undefined
  const limitsIn = await limits.limitsOf(tenant)
  const rates = ratesIn(registry, tenant, module)
  return rates && { atOnce: limitsIn(module, 'job').jobsAtOnce, rates }
}

function ratesIn(registry: JobRuleParts['registry'], tenant: Tenant, module: string): Rate[] | undefined {
  try {
    const { jobs } = registry.pluginFor(tenant, module).manifest
    return Object.entries(jobs).flatMap(([job, { rate }]) =>
      rate ? [{ job, max: rate.max, seconds: rate.perSeconds }] : [],
    )
  } catch (error) {
    // Its version for this tenant is not to be had at the moment; the sweeper asks again.
    if (isPlinthError(error)) return undefined
    throw error
  }
}

export interface Querying {
  query(statement: { name: string; text: string; values: unknown[] }): Promise<{ rows: TaskRow[] }>
}

export type ClaimJob = (lane: Lane) => Promise<Task | undefined>

export const jobClaims =
  (pool: Querying, parts: JobRuleParts, worker: string, lease: number): ClaimJob =>
  async ({ queue, tenant }) => {
    const module = moduleOfQueue(queue) ?? ''
    const rules = await rulesFor(parts, tenant, module)
    if (!rules) return undefined
    const { atOnce, rates } = rules
    const values = [queue, tenant, module, workingStates, atOnce, JSON.stringify(rates), worker, lease]
    const { rows } = await pool.query({ name: 'plinth_claim_job', text: claim, values })
    return rows[0] && taskFromRow(rows[0])
  }
