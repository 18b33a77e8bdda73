// Approvals as people see them: one with its history, and lists. Read by the control plane, which names the tenant itself.
import type { Json } from '@plinth/sdk'
import type pg from 'pg'
import { fromDatabase } from '../data/database-failure.ts'
import type { ApprovalState, Happening } from './approval-rows.ts'
import type { Capacity } from './approvers.ts'
import type { OpenStep } from './judge-step.ts'

export interface Approval {
  readonly id: string
  readonly module: string
  readonly entity: string
  readonly recordId: string
  readonly recordVersion: number
  readonly action: string
  readonly input: Json
  readonly amount?: { readonly amount: string; readonly currency: string }
  readonly unit?: string
  readonly chain: string
  readonly state: ApprovalState
  readonly steps: readonly OpenStep[]
  readonly step: number
  readonly waiting: readonly string[]
  readonly requestedBy: string
  readonly requestedAt: string
  readonly stepSince: string
  readonly endedAt?: string
}

export interface ApprovalEvent {
  readonly at: string
  readonly actor: string
  readonly standsFor?: string
  readonly what: Happening
  readonly step: number
  readonly comment?: string
}

interface Row {
  id: string
  module: string
  entity: string
  record_id: string
  record_version: number
  action: string
  input: Json
  amount: string | null
  currency: string | null
  unit: string | null
  chain: string
  state: ApprovalState
  steps: OpenStep[]
  step: number
  waiting: string[]
  requested_by: string
  requested_at: Date
  step_since: Date
  ended_at: Date | null
}

interface EventRow {
  at: Date
  actor: string
  stands_for: string | null
  what: Happening
  step: number
  comment: string | null
}

const approvalOf = (row: Row): Approval => ({
  id: row.id,
  module: row.module,
  entity: row.entity,
  recordId: row.record_id,
  recordVersion: row.record_version,
  action: row.action,
  input: row.input,
  ...(row.amount === null || row.currency === null
    ? {}
    : { amount: { amount: row.amount, currency: row.currency } }),
  ...(row.unit === null ? {} : { unit: row.unit }),
  chain: row.chain,
  state: row.state,
  steps: row.steps,
  step: row.step,
  waiting: row.waiting,
  requestedBy: row.requested_by,
  requestedAt: row.requested_at.toISOString(),
  stepSince: row.step_since.toISOString(),
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at.toISOString() }),
})

const eventOf = ({ at, stands_for, comment, ...row }: EventRow): ApprovalEvent => ({
  at: at.toISOString(),
  ...row,
  ...(stands_for === null ? {} : { standsFor: stands_for }),
  ...(comment === null ? {} : { comment }),
})

const isId = (id: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(id)

export async function readApproval(pool: pg.Pool, tenant: string, id: string): Promise<Approval | undefined> {
  if (!isId(id)) return undefined
  const { rows } = await fromDatabase(() =>
    pool.query<Row>(
      'SELECT a.*, a.amount::text FROM kernel.approval a WHERE a.tenant_id = $1 AND a.id = $2',
      [tenant, id],
    ),
  )
  return rows[0] && approvalOf(rows[0])
}

export async function readHistory(pool: pg.Pool, tenant: string, id: string): Promise<ApprovalEvent[]> {
  const { rows } = await fromDatabase(() =>
    pool.query<EventRow>(
      `SELECT at, actor, stands_for, what, step, comment FROM kernel.approval_event
        WHERE tenant_id = $1 AND approval_id = $2 ORDER BY seq`,
      [tenant, id],
    ),
  )
  return rows.map(eventOf)
}

/** Whose: those that wait for one of these capacities, those that a person requested, or everybody's. */
export type Whose =
  | { readonly waitingFor: readonly Capacity[] }
  | { readonly requestedBy: string }
  | 'everybody'

export interface ApprovalQuery {
  readonly whose: Whose
  readonly state?: string | undefined
  readonly module?: string | undefined
  readonly record?: string | undefined
  readonly limit: number
  readonly cursor?: string | undefined
}

/** Newest first. */
export async function listApprovals(
  pool: pg.Pool,
  tenant: string,
  query: ApprovalQuery,
): Promise<{ items: Approval[]; cursor?: string }> {
  const values: unknown[] = [tenant]
  const value = (one: unknown) => `$${values.push(one)}`
  const conditions = [
    ...(query.cursor !== undefined && isId(query.cursor) ? [`a.id < ${value(query.cursor)}`] : []),
    ...(query.state === undefined ? [] : [`a.state = ${value(query.state)}`]),
    ...(query.module === undefined ? [] : [`a.module = ${value(query.module)}`]),
    ...(query.record === undefined ? [] : [`a.record_id = ${value(query.record)}`]),
    ...whoseCondition(query.whose, value),
  ]
  const { rows } = await fromDatabase(() =>
    pool.query<Row>(
      `SELECT a.*, a.amount::text FROM kernel.approval a
        WHERE ${['a.tenant_id = $1', ...conditions].join(' AND ')} ORDER BY a.id DESC LIMIT ${value(query.limit + 1)}`,
      values,
    ),
  )
  const items = rows.slice(0, query.limit).map(approvalOf)
  const last = items.at(-1)
  return rows.length > query.limit && last ? { items, cursor: last.id } : { items }
}

function whoseCondition(whose: Whose, value: (one: unknown) => string): string[] {
  if (whose === 'everybody') return []
  if ('requestedBy' in whose) return [`a.requested_by = ${value(whose.requestedBy)}`]
  const [self] = whose.waitingFor
  if (!self) return ['false']
  const capacities = whose.waitingFor.map(({ person, keys }) => ({ person, keys: [...keys] }))
  const own = value(self.person)
  return [
    "a.state = 'open'",
    `a.requested_by <> ${own}`,
    `EXISTS (SELECT FROM jsonb_to_recordset(${value(JSON.stringify(capacities))}::jsonb) AS c (person text, keys text[])
      WHERE c.keys && a.waiting AND c.person <> a.requested_by)`,
    `NOT EXISTS (SELECT FROM kernel.approval_event e WHERE e.tenant_id = a.tenant_id AND e.approval_id = a.id
      AND e.step = a.step AND e.what = 'approved' AND e.actor = ${own})`,
  ]
}
