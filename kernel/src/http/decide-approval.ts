// Deciding on an approval. The decision, the step that follows and, behind the last one, the action itself are one
// transaction: the action runs with the right of who asked for it, carried out by who agreed last.
import {
  type ApprovalState,
  addEvent,
  agreementsAt,
  endAs,
  holdApproval,
  toStep,
  waitFor,
} from '../approvals/approval-rows.ts'
import type { Approvers, Capacity } from '../approvals/approvers.ts'
import { decidingAs } from '../approvals/capacity.ts'
import { isMet, waitingKeys } from '../approvals/judge-step.ts'
import type { Approval } from '../approvals/read-approvals.ts'
import { storeOf } from '../broker/records.ts'
import type { Work } from '../broker/work.ts'
import { parseFields } from '../data/field-kinds/parse-fields.ts'
import { allStand, type DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Ability } from '../permissions/build-ability.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located, Tenant } from '../stages.ts'
import { type ActionCall, act } from './action-routes.ts'
import type { OrganisationAsker } from './ask-organisation.ts'
import type { WorkLender } from './lend-work.ts'
import type { WorkStage } from './module-parts.ts'

export const decisions = { approve: 'approved', reject: 'rejected', return: 'returned' } as const
export type Decision = keyof typeof decisions

export interface DecideParts {
  readonly works: WorkLender
  readonly approvers: Approvers
  readonly askOrganisation: OrganisationAsker
  /** What a person may do in a module: nothing, when he is no member. */
  abilityOfMember(tenant: Tenant, userId: string, plugin: LoadedPlugin): Promise<Ability>
}

interface Given {
  readonly decision: Decision
  readonly comment?: string | undefined
}

/**
 * The state that the approval is left in.
 * @throws APPROVAL_OWN, APPROVAL_NOT_YOURS, APPROVAL_DECIDED, APPROVAL_ENDED, or what the action refuses
 */
export async function decideApproval(
  parts: DecideParts,
  stage: Located,
  plugin: LoadedPlugin,
  approval: Approval,
  given: Given,
  off: DefencesOff = allStand,
): Promise<ApprovalState> {
  const { tenant, actor, requestId } = stage
  const ask = parts.askOrganisation(tenant, requestId)
  const capacities = await parts.approvers.capacitiesOf(tenant, actor.id, ask)
  const ability = await parts.abilityOfMember(tenant, approval.requestedBy, plugin)
  return parts.works.withWork(
    { ...stage, plugin, ability, onBehalfOf: approval.requestedBy },
    (work) => decideWithin(work, approval, capacities, given, off),
    { entersPlugin: true },
  )
}

async function decideWithin(
  work: Work,
  approval: Approval,
  capacities: readonly Capacity[],
  { decision, comment }: Given,
  off: DefencesOff,
): Promise<ApprovalState> {
  const { unit, actor } = work
  const { id, entity, recordId } = approval
  // The record before the approval, as a request for one has them: two that wait for each other would wait in a circle.
  const record = await storeOf(work, entity).lock(unit, recordId)
  const held = await holdApproval(unit, id)
  if (!held) throw errors.approvalNotFound({ id })
  const step = approval.steps[held.step]
  if (held.state !== 'open' || !step) throw errors.approvalEnded({ id, state: held.state })
  const agreed = await agreementsAt(unit, id, held.step)
  const { entries, standsFor } = decidingAs(approval, step, { actor: actor.id, capacities, agreed }, off)
  const tell = async (what: Exclude<ApprovalState, 'open'>) => {
    await addEvent(unit, {
      approval: id,
      actor: actor.id,
      standsFor,
      what,
      step: held.step,
      entries,
      comment,
    })
    const after = { step: step.title, ...(standsFor ? { standsFor } : {}), ...(comment ? { comment } : {}) }
    unit.audit({ module: 'kernel', entity: 'approval', record: id, action: what, before: null, after })
  }
  const end = async (state: Exclude<ApprovalState, 'open'>) => {
    await tell(state)
    await endAs(unit, id, state)
    return state
  }
  const isAsRequested = record?.version === approval.recordVersion || off.has('approvedVersion')
  if (!record || !isAsRequested) return end('outdated')
  if (decision !== 'approve') {
    if (decision === 'reject') await runRejected(work, approval)
    return end(decisions[decision])
  }
  const call = callOf(work, approval)
  // Who asked has lost the right since, or has left, or the module no longer has the action.
  if (!call || !work.ability.can(approval.action, { entity, record })) return end('outdated')
  await tell('approved')
  const all = [...agreed.map((one) => one.entries), entries]
  if (!isMet(step, all)) {
    await waitFor(unit, id, waitingKeys(step, all))
    return 'open'
  }
  const next = approval.steps[held.step + 1]
  if (next) {
    await toStep(unit, id, held.step + 1, waitingKeys(next, []), next.remindAfterHours)
    return 'open'
  }
  await endAs(unit, id, 'approved')
  await act(work, call)
  return 'approved'
}

function callOf({ plugin }: Work, { entity, action, recordId, input }: Approval): ActionCall | undefined {
  const spec = plugin.manifest.actions[entity]?.[action]
  return spec && { entity, action, spec, id: recordId, input: parseFields(spec.input, input) }
}

/** What the module wants done to a record that was refused; nothing for one whose requester may no longer do that. */
async function runRejected(work: Work, { entity, action, recordId }: Approval): Promise<void> {
  const actions = work.plugin.manifest.actions[entity] ?? {}
  const rejected = actions[action]?.approval?.rejected
  const spec = rejected === undefined ? undefined : actions[rejected]
  if (rejected === undefined || !spec || !work.ability.can(rejected, entity)) return
  await act(work, { entity, action: rejected, spec, id: recordId, input: parseFields(spec.input, {}) })
}

/** Takes a request back. @throws APPROVAL_ENDED */
export async function withdrawApproval(
  works: WorkLender,
  stage: WorkStage,
  { id }: Approval,
  comment: string | undefined,
): Promise<void> {
  await works.withWork(stage, async ({ unit, actor }) => {
    const held = await holdApproval(unit, id)
    if (!held) throw errors.approvalNotFound({ id })
    if (held.state !== 'open') throw errors.approvalEnded({ id, state: held.state })
    await addEvent(unit, { approval: id, actor: actor.id, what: 'withdrawn', step: held.step, comment })
    await endAs(unit, id, 'withdrawn')
    const after = comment === undefined ? {} : { comment }
    unit.audit({ module: 'kernel', entity: 'approval', record: id, action: 'withdrawn', before: null, after })
  })
}
