// Loans: a person lends permissions that he has himself to another, between two dates. What is lent is looked up in the
// lender's rules at each request of the borrower, so it ends the moment the lender loses it, and cannot be lent on.

import { randomUUIDv7 } from 'node:crypto'
import type { Manifest } from '@plinth/sdk'
import { errors, type FieldError } from '../errors.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { coversPermission } from './access-rule.ts'
import { permissionCatalogue, unknownPermission } from './check-rules.ts'
import { heldPermissions, refuseConflicts } from './duty-conflicts.ts'
import type { Grants } from './grants.ts'
import { grantsOfMember, lockAccess } from './lock-access.ts'
import { recordAccess } from './record-access.ts'
import { holdsTenantPermission, requirePerson } from './tenant-permissions.ts'

export interface Delegation {
  readonly id: string
  readonly lender: string
  readonly borrower: string
  readonly permissions: readonly string[]
  readonly reason: string
  readonly startsAt: string
  readonly endsAt: string
  readonly endedAt?: string
  readonly state: 'coming' | 'running' | 'ended'
}

export interface DelegationInput {
  readonly borrower: string
  readonly permissions: readonly string[]
  readonly startsAt?: string
  readonly endsAt: string
  readonly reason?: string
}

interface Row {
  id: string
  lender: string
  borrower: string
  permissions: string[]
  reason: string
  starts_at: Date
  ends_at: Date
  ended_at: Date | null
}

const select = `SELECT id, lender, borrower, permissions, reason, starts_at, ends_at, ended_at
  FROM kernel.delegation WHERE tenant_id = $1`
const longestDays = 366
const mostOfLender = 100

function fromRow(row: Row): Delegation {
  const now = Date.now()
  const ended = row.ended_at ?? (row.ends_at.getTime() <= now ? row.ends_at : undefined)
  return {
    id: row.id,
    lender: row.lender,
    borrower: row.borrower,
    permissions: row.permissions,
    reason: row.reason,
    startsAt: row.starts_at.toISOString(),
    endsAt: row.ends_at.toISOString(),
    ...(ended ? { endedAt: ended.toISOString() } : {}),
    state: ended ? 'ended' : row.starts_at.getTime() > now ? 'coming' : 'running',
  }
}

const wrong = (field: string, code: string, message: string) =>
  errors.validation({ errors: [{ field, code, message }] })

function period({ startsAt, endsAt }: DelegationInput): { start: Date; end: Date } {
  const start = startsAt === undefined ? new Date() : new Date(startsAt)
  const end = new Date(endsAt)
  if (end.getTime() <= Date.now()) throw wrong('endsAt', 'IN_THE_PAST', 'must be in the future.')
  if (end <= start) throw wrong('endsAt', 'TOO_EARLY', 'must be after startsAt.')
  if (end.getTime() - start.getTime() > longestDays * 86_400_000)
    throw wrong('endsAt', 'TOO_LATE', `must be within ${longestDays} days of startsAt.`)
  return { start, end }
}

/** All that a name stands for must be the lender's own. @throws VALIDATION_FAILED, FORBIDDEN */
function refuseUnheld(
  manifests: readonly Manifest[],
  by: Located,
  lender: Grants,
  permissions: readonly string[],
): void {
  const unknown = permissions.flatMap((name, index): FieldError[] => {
    const field = `permissions.${index}`
    const message = 'cannot be lent: it is about the tenant itself. A role can give it.'
    if (name.startsWith('tenant.')) return [{ field, code: 'NOT_LENDABLE', message }]
    const problem = unknownPermission(manifests, name, field)
    return problem ? [problem] : []
  })
  if (unknown.length > 0) throw errors.validation({ errors: unknown })
  const held = heldPermissions(manifests, { ...lender, lent: [] }, by.scopes)
  const names = permissionCatalogue(manifests)
  for (const pattern of permissions) {
    const missing = names.find((name) => coversPermission(pattern, name) && !held.has(name))
    if (missing !== undefined) throw errors.forbidden({ permission: missing })
  }
}

export async function lend(
  runControl: RunControl,
  manifests: readonly Manifest[],
  by: Located,
  input: DelegationInput,
): Promise<Delegation> {
  const { start, end } = period(input)
  const { borrower, permissions, reason = '' } = input
  requirePerson(by)
  if (borrower === by.actor.id) throw wrong('borrower', 'SAME_PERSON', 'must be somebody else.')
  return runControl(async (tx) => {
    const lender = await lockAccess(tx, by)
    refuseUnheld(manifests, by, lender, permissions)
    const before = await grantsOfMember(tx, by.tenant.id, borrower)
    const id = randomUUIDv7()
    const after = { ...before, lent: [...before.lent, { delegation: id, permissions, by: lender }] }
    await refuseConflicts(tx, by.tenant.id, manifests, before, after)
    const [{ count } = { count: 0 }] = await tx.query<{ count: number }>(
      `SELECT count(*)::int FROM kernel.delegation
        WHERE tenant_id = $1 AND (lender = $2 OR borrower = $3) AND ended_at IS NULL AND ends_at > now()`,
      [by.tenant.id, by.actor.id, borrower],
    )
    if (count >= mostOfLender) throw errors.tooMany({ what: 'delegations of a person', most: mostOfLender })
    const [row] = await tx.query<Row>(
      `INSERT INTO kernel.delegation (tenant_id, id, lender, borrower, permissions, reason, starts_at, ends_at, created_by)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $3)
       RETURNING id, lender, borrower, permissions, reason, starts_at, ends_at, ended_at`,
      [by.tenant.id, id, by.actor.id, borrower, [...permissions], reason, start, end],
    )
    if (!row) throw errors.internal({})
    const delegation = fromRow(row)
    await recordAccess(tx, by, 'delegation', id, 'lent', { after: delegation })
    return delegation
  })
}

/** Those that the caller lends or borrows; of everybody, for who manages them. */
export async function listDelegations(
  runControl: RunControl,
  by: Located,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<{ items: Delegation[]; cursor?: string }> {
  const whose = holdsTenantPermission(by, 'tenant.delegations.manage') ? null : by.actor.id
  if (cursor !== undefined && !/^[0-9a-f-]{36}$/.test(cursor)) throw errors.cursorInvalid({})
  return runControl(async (tx) => {
    const rows = await tx.query<Row>(
      `${select} AND id > $2 AND ($3::text IS NULL OR lender = $3 OR borrower = $3) ORDER BY id LIMIT $4`,
      [by.tenant.id, cursor ?? '00000000-0000-0000-0000-000000000000', whose, limit + 1],
    )
    const items = rows.slice(0, limit).map(fromRow)
    const last = items.at(-1)
    return rows.length > limit && last ? { items, cursor: last.id } : { items }
  })
}

/** The lender takes back, the borrower gives back, or somebody who manages them ends it. */
export async function endDelegation(runControl: RunControl, by: Located, id: string): Promise<void> {
  await runControl(async (tx) => {
    const grants = await lockAccess(tx, by)
    const [row] = /^[0-9a-f-]{36}$/.test(id)
      ? await tx.query<Row>(`${select} AND id = $2 FOR UPDATE`, [by.tenant.id, id])
      : []
    const isHis = row?.lender === by.actor.id || row?.borrower === by.actor.id
    const manages = holdsTenantPermission({ ...by, grants }, 'tenant.delegations.manage')
    if (!row || !(isHis || manages)) throw errors.recordNotFound({ entity: 'delegation', id })
    if (row.ended_at) return
    await tx.query(
      'UPDATE kernel.delegation SET ended_at = now(), ended_by = $3 WHERE tenant_id = $1 AND id = $2',
      [by.tenant.id, id, by.actor.id],
    )
    await recordAccess(tx, by, 'delegation', id, 'ended', { before: fromRow(row) })
  })
}
