// The rows of approvals as a unit of work reads and writes them: in the transaction of what is requested or decided, and
// within its tenant.
import type { Json } from '@plinth/sdk'
import { prepared, type QueryResult, type Statement } from '../data/statement.ts'
import type { Explain } from '../data/unit-of-work.ts'
import type { OpenStep } from './judge-step.ts'

export type ApprovalState = 'open' | 'approved' | 'rejected' | 'returned' | 'withdrawn' | 'outdated'
export type Happening =
  | 'requested'
  | 'approved'
  | 'rejected'
  | 'returned'
  | 'withdrawn'
  | 'outdated'
  | 'reminded'

/** The part of a unit of work that is needed here. */
export interface OwnRows {
  readonly tenant: string
  ownQuery(statement: Statement, options?: { readonly explain?: Explain }): Promise<QueryResult>
}

export interface NewApproval {
  readonly id: string
  readonly module: string
  readonly entity: string
  readonly recordId: string
  readonly recordVersion: number
  readonly action: string
  readonly input: Json
  readonly amount?: { readonly amount: string; readonly currency: string } | undefined
  readonly unit?: string | undefined
  readonly chain: string
  readonly steps: readonly OpenStep[]
  readonly requestedBy: string
}

export interface HeldApproval {
  readonly state: ApprovalState
  readonly step: number
}

export interface NewEvent {
  readonly approval: string
  readonly actor: string
  readonly standsFor?: string | undefined
  readonly what: Happening
  readonly step: number
  readonly entries?: readonly number[]
  readonly comment?: string | undefined
}

/** A person's yes at a step. */
export interface Agreement {
  readonly actor: string
  readonly standsFor: string | null
  readonly entries: readonly number[]
}

const insertApproval = prepared(`
  INSERT INTO kernel.approval (tenant_id, id, module, entity, record_id, record_version, action, input, amount, currency,
    unit, chain, steps, step, waiting, state, requested_by, remind_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14::text[], 'open', $15,
    now() + make_interval(hours => $16::int))`)
const lockApproval = prepared(
  'SELECT state, step FROM kernel.approval WHERE tenant_id = $1 AND id = $2 FOR UPDATE',
)
const moveApproval = prepared(`
  UPDATE kernel.approval SET step = $3, waiting = $4::text[], step_since = now(),
    remind_at = now() + make_interval(hours => $5::int)
  WHERE tenant_id = $1 AND id = $2`)
const waitApproval = prepared(
  'UPDATE kernel.approval SET waiting = $3::text[] WHERE tenant_id = $1 AND id = $2',
)
const endApproval = prepared(`
  UPDATE kernel.approval SET state = $3, waiting = '{}', remind_at = NULL, ended_at = now()
  WHERE tenant_id = $1 AND id = $2`)
/** Behind the lock of the approval, so that no two take one number. */
const insertEvent = prepared(`
  INSERT INTO kernel.approval_event (tenant_id, approval_id, seq, actor, stands_for, what, step, entries, comment)
  SELECT $1, $2, 1 + coalesce(max(seq), 0), $3, $4, $5, $6, $7::int[], $8
    FROM kernel.approval_event WHERE tenant_id = $1 AND approval_id = $2`)
const selectAgreements = prepared(`
  SELECT actor, stands_for, array_to_json(entries) FROM kernel.approval_event
   WHERE tenant_id = $1 AND approval_id = $2 AND step = $3 AND what = 'approved' ORDER BY seq`)

export async function addApproval(
  rows: OwnRows,
  one: NewApproval,
  waiting: readonly string[],
  explain: Explain,
) {
  await rows.ownQuery(
    insertApproval([
      rows.tenant,
      one.id,
      one.module,
      one.entity,
      one.recordId,
      one.recordVersion,
      one.action,
      JSON.stringify(one.input),
      one.amount?.amount ?? null,
      one.amount?.currency ?? null,
      one.unit ?? null,
      one.chain,
      JSON.stringify(one.steps),
      waiting,
      one.requestedBy,
      one.steps[0]?.remindAfterHours ?? null,
    ]),
    { explain },
  )
}

/** Undefined when it is not there. Nobody else decides on it before the unit ends. */
export async function holdApproval(rows: OwnRows, id: string): Promise<HeldApproval | undefined> {
  const result = await rows.ownQuery(lockApproval([rows.tenant, id]))
  const [row] = result.rows
  // What the table's check and type let be there.
  return row && { state: row[0] as ApprovalState, step: Number(row[1]) }
}

export async function toStep(
  rows: OwnRows,
  id: string,
  step: number,
  waiting: readonly string[],
  remindAfterHours: number | undefined,
): Promise<void> {
  await rows.ownQuery(moveApproval([rows.tenant, id, step, waiting, remindAfterHours ?? null]))
}

export async function waitFor(rows: OwnRows, id: string, waiting: readonly string[]): Promise<void> {
  await rows.ownQuery(waitApproval([rows.tenant, id, waiting]))
}

export async function endAs(rows: OwnRows, id: string, state: ApprovalState): Promise<void> {
  await rows.ownQuery(endApproval([rows.tenant, id, state]))
}

export async function addEvent(rows: OwnRows, event: NewEvent): Promise<void> {
  const { approval, actor, standsFor = null, what, step, entries = [], comment = null } = event
  await rows.ownQuery(insertEvent([rows.tenant, approval, actor, standsFor, what, step, entries, comment]))
}

export async function agreementsAt(rows: OwnRows, id: string, step: number): Promise<readonly Agreement[]> {
  const { rows: found } = await rows.ownQuery(selectAgreements([rows.tenant, id, step]))
  return found.map(([actor, standsFor, entries]) => ({
    actor: String(actor),
    standsFor: typeof standsFor === 'string' ? standsFor : null,
    entries: Array.isArray(entries) ? entries.map(Number) : [],
  }))
}
