// A new tenant: its row, its owner and the audit entry, in one transaction.

import { randomUUIDv7 } from 'node:crypto'
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import type { Identified } from '../stages.ts'
import type { RunControl } from './control-transaction.ts'
import { membershipKey } from './tenant-directory.ts'

export interface NewTenant {
  readonly name: string
  readonly slug: string
  readonly currency?: string
  readonly plan?: string
}

/** @throws RECORD_CONFLICT when the slug is taken, VALIDATION_FAILED when the plan does not exist. */
export async function provisionTenant(
  runControl: RunControl,
  by: Pick<Identified, 'requestId'> & { readonly actor: { readonly id: string } },
  tenant: NewTenant,
): Promise<string> {
  const id = randomUUIDv7()
  await runControl(async (tx) => {
    const plan = tenant.plan ?? 'starter'
    const plans = await tx.query<{ code: string }>('SELECT code FROM kernel.plan ORDER BY monthly_price', [])
    if (!plans.some((p) => p.code === plan)) {
      const message = `There is no plan '${plan}'. Plans: ${plans.map((p) => p.code).join(', ')}.`
      throw errors.validation({ errors: [{ field: 'plan', code: 'UNKNOWN_PLAN', message }] })
    }
    const row = { slug: tenant.slug, name: tenant.name, currency: tenant.currency ?? 'INR', plan }
    const inserted = await tx.query(
      `INSERT INTO kernel.tenant (id, slug, name, currency, plan) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (slug) DO NOTHING RETURNING id`,
      [id, row.slug, row.name, row.currency, row.plan],
    )
    if (inserted.length === 0) throw errors.recordConflict({ entity: 'tenant', fields: ['slug'] })
    await tx.query(`INSERT INTO kernel.membership (tenant_id, user_id, role) VALUES ($1, $2, 'owner')`, [
      id,
      by.actor.id,
    ])
    await tx.audit({
      tenantId: id,
      ...auditedBy(by),
      entity: 'tenant',
      recordId: id,
      action: 'created',
      after: row,
    })
    await tx.announce({ kind: 'member', id: membershipKey(id, by.actor.id) })
  })
  return id
}
