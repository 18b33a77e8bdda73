// An operator's word on the limits of a module, for every tenant or for one. Audited; acts in the next request of every
// kernel process.
import { aboveTenants, auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import type { LimitOverrides } from './governor-limits.ts'
import { parseLimits } from './parse-limits.ts'

export interface LimitTarget {
  readonly module: string
  /** Id; absent: every tenant. */
  readonly tenant?: string
}

/** Who sets them. */
export interface LimitSetter {
  readonly actor: { readonly id: string }
  readonly requestId: string
  readonly address?: string
  readonly agent?: string
  readonly traceparent?: string
}

const read = async (tx: ControlTransaction, { module, tenant }: LimitTarget): Promise<LimitOverrides> => {
  const [row] = await tx.query<{ limits: LimitOverrides }>(
    'SELECT limits FROM kernel.limit_override WHERE module = $1 AND tenant_id IS NOT DISTINCT FROM $2::uuid',
    [module, tenant ?? null],
  )
  return row?.limits ?? {}
}

/** What an operator has set; not what is in force, which is this over plan and default. */
export const getLimits = (runControl: RunControl, target: LimitTarget): Promise<LimitOverrides> =>
  runControl((tx) => read(tx, target))

/**
 * Replaces what was set; `{}` goes back to plan and default.
 * @throws VALIDATION_FAILED naming each wrong limit, TENANT_NOT_FOUND
 */
export async function setLimits(
  runControl: RunControl,
  by: LimitSetter,
  target: LimitTarget,
  input: unknown,
): Promise<LimitOverrides> {
  const after = parseLimits(input)
  const { module, tenant } = target
  await runControl(async (tx) => {
    // Two operators at once take turns, so that each audit row has the true state before it.
    await tx.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`limits ${module}`])
    if (tenant !== undefined) {
      const found = await tx.query('SELECT id FROM kernel.tenant WHERE id = $1', [tenant])
      if (found.length === 0) throw errors.tenantNotFound({ tenant })
    }
    const before = await read(tx, target)
    const key = [module, tenant ?? null]
    if (Object.keys(after).length === 0) {
      await tx.query(
        'DELETE FROM kernel.limit_override WHERE module = $1 AND tenant_id IS NOT DISTINCT FROM $2::uuid',
        key,
      )
    } else {
      await tx.query(
        `INSERT INTO kernel.limit_override (module, tenant_id, limits) VALUES ($1, $2, $3)
         ON CONFLICT (module, tenant_id) DO UPDATE SET limits = excluded.limits`,
        [...key, JSON.stringify(after)],
      )
    }
    await tx.audit({
      tenantId: tenant ?? aboveTenants,
      ...auditedBy(by),
      entity: 'limits',
      recordId: module,
      action: 'changed',
      before,
      after,
    })
    await tx.announce({ kind: 'limits', id: tenant ?? '' })
  })
  return after
}
