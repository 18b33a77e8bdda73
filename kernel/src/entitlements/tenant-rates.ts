// How often a tenant, one of its people and one of its keys may ask in a minute: what the operator has set for the tenant, over
// its plan, over the installation's own settings. It is read with the tenant, and so acts in the next request.
import { auditedBy } from '../audit/write-audit.ts'
import type { Operated, TenantRates } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'

/** For the one row of kernel.tenant, as `t`. What neither names is absent. */
export const selectRates = `
  (SELECT jsonb_strip_nulls(jsonb_build_object(
            'tenant', coalesce(r.requests_per_minute, p.requests_per_minute),
            'user', coalesce(r.user_requests_per_minute, p.user_requests_per_minute),
            'key', coalesce(r.key_requests_per_minute, p.key_requests_per_minute)))
     FROM kernel.plan p LEFT JOIN kernel.tenant_rate r ON r.tenant_id = t.id WHERE p.code = t.plan)`

export async function readSetRates(
  tx: Pick<ControlTransaction, 'query'>,
  tenantId: string,
): Promise<TenantRates> {
  const [row] = await tx.query<{ rates: TenantRates }>(
    `SELECT jsonb_strip_nulls(jsonb_build_object('tenant', requests_per_minute, 'user', user_requests_per_minute,
              'key', key_requests_per_minute)) AS rates FROM kernel.tenant_rate WHERE tenant_id = $1`,
    [tenantId],
  )
  return row?.rates ?? {}
}

/** Replaces what was set; what is left out goes back to the plan. */
export async function setRates(
  runControl: RunControl,
  by: Operated,
  tenantId: string,
  rates: TenantRates,
): Promise<void> {
  await runControl(async (tx) => {
    await tx.query('SELECT id FROM kernel.tenant WHERE id = $1 FOR UPDATE', [tenantId])
    const before = await readSetRates(tx, tenantId)
    await tx.query(
      `INSERT INTO kernel.tenant_rate (tenant_id, requests_per_minute, user_requests_per_minute, key_requests_per_minute)
       VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant_id) DO UPDATE SET requests_per_minute = excluded.requests_per_minute,
         user_requests_per_minute = excluded.user_requests_per_minute,
         key_requests_per_minute = excluded.key_requests_per_minute`,
      [tenantId, rates.tenant ?? null, rates.user ?? null, rates.key ?? null],
    )
    await tx.audit({
      tenantId,
      ...auditedBy(by),
      entity: 'rates',
      recordId: tenantId,
      action: 'changed',
      before,
      after: rates,
    })
    await tx.announce({ kind: 'tenant', id: tenantId })
  })
}
