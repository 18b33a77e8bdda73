// Asking for an approval: which chain fits, who its approvers are, and the row that waits for them, in the transaction of
// the request. For the action that a client calls and for the plugin that asks.
import { randomUUIDv7 } from 'node:crypto'
import type { Json } from '@plinth/sdk'
import { addApproval, addEvent } from '../approvals/approval-rows.ts'
import { type AskOrganisation, textsIn } from '../approvals/approvers.ts'
import { type Approver, asksUnits, type Step, type Subject, stepsFor } from '../approvals/chain.ts'
import { isMet, type OpenStep, waitingKeys } from '../approvals/judge-step.ts'
import type { EntityRecord } from '../data/entity-store.ts'
import { errors } from '../errors.ts'
import { lockRecord, storeOf } from './records.ts'
import type { Work } from './work.ts'

export interface ApprovalAsk {
  readonly entity: string
  readonly record: string
  readonly action: string
  /** Parsed against the action's fields. */
  readonly input: Json
  readonly amount?: Subject['amount']
  readonly unit?: string | undefined
  /** Code of the chain to take, instead of the first that fits. */
  readonly chain?: string | undefined
}

const organisation = 'organisation'

/** In the same unit of work, with the organisation's own right. */
const askWithin =
  (work: Work): AskOrganisation =>
  async (service, input) =>
    work.tenant.modules.has(organisation) ? work.callService(organisation, service, input) : undefined

function moneyOf(value: Json | undefined): Subject['amount'] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { amount, currency } = value as Readonly<Record<string, Json>>
  return typeof amount === 'string' && typeof currency === 'string' ? { amount, currency } : undefined
}

const textOf = (value: Json | undefined) => (typeof value === 'string' ? value : undefined)

interface Superior {
  readonly position: string
  readonly level: number
}

function superiorsIn(answer: Json | undefined): readonly Superior[] {
  if (typeof answer !== 'object' || answer === null || !('superiors' in answer)) return []
  const { superiors } = answer
  if (!Array.isArray(superiors)) return []
  return superiors.flatMap((one: Json) => {
    if (typeof one !== 'object' || one === null || !('position' in one) || !('level' in one)) return []
    return [{ position: String(one.position), level: Number(one.level) }]
  })
}

async function keysOf(
  one: Approver,
  superiors: () => Promise<readonly Superior[]>,
): Promise<readonly string[]> {
  if ('person' in one) return [`person:${one.person}`]
  if ('role' in one) return [`role:${one.role}`]
  if ('position' in one) return [`position:${one.position}`]
  return (await superiors())
    .filter(({ level }) => level === one.superior)
    .map(({ position }) => `position:${position}`)
}

/** The step with its approvers found. @throws APPROVAL_NOBODY when it could never be met */
async function openStep(
  work: Work,
  { when: _, ...step }: Step,
  superiors: () => Promise<readonly Superior[]>,
): Promise<OpenStep> {
  const approvers = await Promise.all(step.approvers.map((one) => keysOf(one, superiors)))
  const ask = askWithin(work)
  const people = await Promise.all(
    approvers.map((keys) => work.approvers.peopleBehind(work.tenant, keys, ask)),
  )
  const entries = new Map<string, number[]>()
  for (const [entry, ofEntry] of people.entries()) {
    for (const person of ofEntry) entries.set(person, [...(entries.get(person) ?? []), entry])
  }
  entries.delete(work.actor.id)
  const open = { ...step, approvers }
  if (!isMet(open, [...entries.values()])) throw errors.approvalNobody({ step: step.title })
  return open
}

/** Undefined when nobody has to agree. @throws APPROVAL_CHAIN_MISSING, APPROVAL_NOBODY, APPROVAL_PENDING */
export async function requestApproval(
  work: Work,
  ask: ApprovalAsk,
  record: EntityRecord,
): Promise<string | undefined> {
  const { tenant, plugin, unit, actor } = work
  const module = plugin.manifest.name
  const { entity, action, input } = ask
  const spec = plugin.manifest.actions[entity]?.[action]?.approval ?? {}
  const found = await work.chainsFor({ tenant: tenant.id, module, entity, action })
  const chains = ask.chain === undefined ? found : found.filter(({ code }) => code === ask.chain)
  const amount = ask.amount ?? (spec.amount === undefined ? undefined : moneyOf(record[spec.amount]))
  const unitId = ask.unit ?? (spec.unit === undefined ? undefined : textOf(record[spec.unit]))
  const above = unitId !== undefined && asksUnits(chains) ? await unitsAbove(work, unitId) : undefined
  const due = stepsFor(chains, { amount, units: above })
  if (!due) {
    if (spec.required || ask.chain !== undefined) {
      throw errors.approvalChainMissing({ action: `${module}.${entity}.${action}` })
    }
    return undefined
  }
  let known: Promise<readonly Superior[]> | undefined
  const superiors = () => {
    known ??= askWithin(work)('superiorsOf', { person: actor.id }).then(superiorsIn)
    return known
  }
  const steps: OpenStep[] = []
  for (const step of due.steps) steps.push(await openStep(work, step, superiors))
  const id = randomUUIDv7()
  const [first] = steps
  const row = { id, module, entity, recordId: record.id, action, input, amount, unit: unitId }
  const rest = { chain: due.chain.code, steps, requestedBy: actor.id }
  // At the end: what the same handler still does to the record is part of what is to be approved.
  unit.beforeCommit(async () => {
    const last = await storeOf(work, entity).get(unit, record.id)
    if (!last) throw errors.recordNotFound({ entity, id: record.id })
    const waiting = first ? waitingKeys(first, []) : []
    await addApproval(unit, { ...row, ...rest, recordVersion: last.version }, waiting, (failure) =>
      failure.code === '23505' ? errors.approvalPending({ entity, id: record.id }) : failure,
    )
    await addEvent(unit, { approval: id, actor: actor.id, what: 'requested', step: 0 })
  })
  const after = { module, entity, record: record.id, action, chain: due.chain.code }
  unit.audit({ module: 'kernel', entity: 'approval', record: id, action: 'requested', before: null, after })
  return id
}

/** The unit and all above it; the unit alone where nobody keeps an organisation. */
async function unitsAbove(work: Work, unit: string): Promise<readonly string[]> {
  const path = textsIn(await askWithin(work)('pathOf', { unit }), 'units')
  return path.length > 0 ? path : [unit]
}

/** The record to ask about, locked, if the actor may do the action to it. */
export const lockForApproval = (work: Work, { entity, record, action }: ApprovalAsk): Promise<EntityRecord> =>
  lockRecord(work, entity, record, action)
