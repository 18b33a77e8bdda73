// Changes of the tenant itself: what it is called, its plan, its state, who owns it. One at a time for each tenant, behind
// a lock on its row; audited in the same transaction, and seen by the next request in every process.
import { type AuditedBy, aboveTenants, auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import type { Located, TenantState } from '../stages.ts'
import type { ControlTransaction, RunControl } from './control-transaction.ts'
import { checkPlan } from './provision-tenant.ts'
import { membershipKey } from './tenant-directory.ts'
import { checkedProfile, type ProfileChange } from './tenant-profile.ts'
import { stateRules } from './tenant-states.ts'

/** Who changes it: a member, or the operator. */
export interface Changer {
  readonly by: AuditedBy
  /** From If-Match. */
  readonly versions?: readonly number[]
}

interface TenantRow {
  id: string
  slug: string
  name: string
  plan: string
  state: TenantState
  state_reason: string | null
  state_before: TenantState | null
  erase_after: Date | null
  locale: string
  time_zone: string
  country: string | null
  company: string | null
  version: number
}

export type NewState = Extract<TenantState, 'active' | 'trialing' | 'past_due' | 'read_only' | 'suspended'>

const seen = (row: TenantRow) => ({
  name: row.name,
  plan: row.plan,
  state: row.state,
  ...(row.state_reason === null ? {} : { reason: row.state_reason }),
  ...(row.erase_after === null ? {} : { eraseAfter: row.erase_after.toISOString() }),
  locale: row.locale,
  timeZone: row.time_zone,
  country: row.country,
  company: row.company,
})

/** The row, until the transaction ends. @throws TENANT_NOT_FOUND, VERSION_CONFLICT */
async function locked(
  tx: ControlTransaction,
  id: string,
  { versions }: Partial<Changer>,
): Promise<TenantRow> {
  const [row] = await tx.query<TenantRow>('SELECT * FROM kernel.tenant WHERE id = $1 FOR UPDATE', [id])
  if (!row) throw errors.tenantNotFound({ tenant: id })
  if (versions && !versions.includes(row.version))
    throw errors.versionConflict({ entity: 'tenant', id, version: row.version })
  return row
}

async function write(
  tx: ControlTransaction,
  { by }: Changer,
  before: TenantRow,
  action: string,
  set: Readonly<Record<string, unknown>>,
): Promise<void> {
  // Names of columns, from the callers below.
  const columns = Object.keys(set)
  const [after] = await tx.query<TenantRow>(
    `UPDATE kernel.tenant SET version = version + 1${columns.map((column, at) => `, ${column} = $${at + 2}`).join('')}
      WHERE id = $1 RETURNING *`,
    [before.id, ...Object.values(set)],
  )
  await tx.audit({
    tenantId: before.id,
    ...by,
    entity: 'tenant',
    recordId: before.id,
    action,
    before: seen(before),
    ...(after ? { after: seen(after) } : {}),
  })
  await tx.announce({ kind: 'tenant', id: before.id })
}

function checkNext(before: TenantRow, to: TenantState): void {
  const { next } = stateRules[before.state]
  if (!next.includes(to)) throw errors.tenantTransition({ from: before.state, to, allowed: next })
}

export async function changeProfile(
  runControl: RunControl,
  by: Changer,
  id: string,
  change: ProfileChange & { readonly plan?: string },
): Promise<void> {
  const { timeZone, plan, ...rest } = checkedProfile(change)
  await runControl(async (tx) => {
    const before = await locked(tx, id, by)
    if (before.state === 'closed') throw errors.tenantClosed({ tenant: before.slug })
    if (plan !== undefined) await checkPlan(tx, plan)
    const set = {
      ...rest,
      ...(timeZone === undefined ? {} : { time_zone: timeZone }),
      ...(plan === undefined ? {} : { plan }),
    }
    if (Object.keys(set).length > 0) await write(tx, by, before, 'changed', set)
  })
}

/** @throws TENANT_STATE_REFUSED */
export async function changeState(
  runControl: RunControl,
  by: Changer,
  id: string,
  to: NewState,
  reason?: string,
): Promise<void> {
  await runControl(async (tx) => {
    const before = await locked(tx, id, by)
    // Out of closing leads reopening alone: it forgets the day of the erasure.
    if (before.state === to && before.state_reason === (reason ?? null)) return
    if (before.state !== to) checkNext(before, to)
    await write(tx, by, before, 'stateChanged', {
      state: to,
      state_reason: reason ?? null,
      ...(before.state === to ? {} : { state_since: new Date() }),
    })
  })
}

/** From now on it can be read and exported, and reopened for so many days. @throws TENANT_STATE_REFUSED */
export async function closeTenant(
  runControl: RunControl,
  by: Changer,
  id: string,
  { days, reason }: { readonly days: number; readonly reason?: string | undefined },
): Promise<void> {
  await runControl(async (tx) => {
    const before = await locked(tx, id, by)
    checkNext(before, 'closing')
    await write(tx, by, before, 'closing', {
      state: 'closing',
      state_before: before.state,
      state_since: new Date(),
      state_reason: reason ?? null,
      erase_after: new Date(Date.now() + days * 86_400_000),
    })
  })
}

/** @throws TENANT_STATE_REFUSED where it is not closing, or its erasure has begun */
export async function reopenTenant(runControl: RunControl, by: Changer, id: string): Promise<void> {
  await runControl(async (tx) => {
    const before = await locked(tx, id, by)
    if (before.state !== 'closing' || before.state_before === null)
      throw errors.tenantTransition({
        from: before.state,
        to: 'active',
        allowed: stateRules[before.state].next,
      })
    await write(tx, by, before, 'reopened', {
      state: before.state_before,
      state_before: null,
      state_since: new Date(),
      state_reason: null,
      erase_after: null,
    })
  })
}

/** From here on there is no way back: what it has is erased. @throws TENANT_STATE_REFUSED, VALIDATION_FAILED */
export async function endTenant(
  runControl: RunControl,
  by: Changer,
  id: string,
  confirm: string,
): Promise<void> {
  await runControl(async (tx) => {
    const before = await locked(tx, id, by)
    if (confirm !== before.slug) {
      const message = `must be '${before.slug}': everything of this tenant is deleted for good.`
      throw errors.validation({ errors: [{ field: 'confirm', code: 'INVALID', message }] })
    }
    await end(tx, by, before)
  })
}

/** Ends tenants that were closed and whose days are over. */
export async function expireTenants(runControl: RunControl): Promise<void> {
  const by = { by: { actorId: 'kernel', requestId: 'closing' } }
  await runControl(async (tx) => {
    const due = await tx.query<TenantRow>(
      `SELECT * FROM kernel.tenant WHERE state = 'closing' AND erase_after <= now()
        ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED`,
      [],
    )
    for (const row of due) await end(tx, by, row)
  })
}

async function end(tx: ControlTransaction, changer: Changer, before: TenantRow): Promise<void> {
  checkNext(before, 'closed')
  await write(tx, changer, before, 'closed', {
    state: 'closed',
    state_since: new Date(),
    erase_after: new Date(),
  })
  const { actorId, requestId } = changer.by
  await tx.query(
    `INSERT INTO kernel.tenant_erasure (tenant_id, slug, asked_by, request_id) VALUES ($1, $2, $3, $4)`,
    [before.id, before.slug, actorId, requestId],
  )
  // In the trail of the installation too: the tenant's own goes with the tenant.
  await tx.audit({
    tenantId: aboveTenants,
    ...changer.by,
    entity: 'tenant',
    recordId: before.id,
    action: 'erasing',
    before: { slug: before.slug },
  })
}

/**
 * Makes another member the owner in the caller's place, who stays as an admin.
 * @throws FORBIDDEN, RECORD_NOT_FOUND, VALIDATION_FAILED
 */
export async function transferOwnership(runControl: RunControl, by: Located, userId: string): Promise<void> {
  const tenantId = by.tenant.id
  if (userId === by.actor.id) {
    const message = 'is you: name the member who is to own the tenant'
    throw errors.validation({ errors: [{ field: 'userId', code: 'INVALID', message }] })
  }
  await runControl(async (tx) => {
    // As every change of members does: behind it both roles are read as they are.
    await locked(tx, tenantId, {})
    const rows = await tx.query<{ user_id: string; role: string }>(
      // Of people: a service account is a member too, and owns nothing.
      `SELECT m.user_id, m.role FROM kernel.membership m JOIN identity."user" u ON u.id = m.user_id
        WHERE m.tenant_id = $1 AND m.user_id = ANY($2) FOR UPDATE OF m`,
      [tenantId, [userId, by.actor.id]],
    )
    const roleOf = (id: string) => rows.find((row) => row.user_id === id)?.role
    if (roleOf(by.actor.id) !== 'owner') throw errors.forbidden({ permission: 'tenant.ownership.transfer' })
    const before = roleOf(userId)
    if (before === undefined) throw errors.recordNotFound({ entity: 'member', id: userId })
    for (const [user, from, role] of [
      [userId, before, 'owner'],
      [by.actor.id, 'owner', 'admin'],
    ] as const) {
      await tx.query('UPDATE kernel.membership SET role = $3 WHERE tenant_id = $1 AND user_id = $2', [
        tenantId,
        user,
        role,
      ])
      await tx.audit({
        tenantId,
        ...auditedBy(by),
        entity: 'membership',
        recordId: user,
        action: 'ownershipTransferred',
        before: { role: from },
        after: { role },
      })
      await tx.announce({ kind: 'member', id: membershipKey(tenantId, user) })
    }
  })
}
