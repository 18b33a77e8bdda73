// As whom somebody may decide at a step. Nobody decides on his own request, for himself or through who stands in for him,
// and nobody counts twice at one step.
import type { DefencesOff } from '../defences.ts'
import { errors } from '../errors.ts'
import type { Agreement } from './approval-rows.ts'
import type { Capacity } from './approvers.ts'
import { entriesOf, type OpenStep } from './judge-step.ts'

export interface Deciding {
  /** For whom he stands in, when it is not himself. */
  readonly standsFor?: string
  readonly entries: readonly number[]
}

/** @throws APPROVAL_OWN, APPROVAL_NOT_YOURS, APPROVAL_DECIDED */
export function decidingAs(
  approval: { readonly id: string; readonly requestedBy: string },
  step: OpenStep,
  {
    actor,
    capacities,
    agreed,
  }: {
    readonly actor: string
    readonly capacities: readonly Capacity[]
    readonly agreed: readonly Agreement[]
  },
  off: DefencesOff,
): Deciding {
  const { id, requestedBy } = approval
  const isOwn = (person: string) => person === requestedBy && !off.has('approvalDuties')
  if (isOwn(actor)) throw errors.approvalOwn({ id })
  const fits = capacities
    .map(({ person, keys }) => ({ person, entries: entriesOf(step, keys) }))
    .filter(({ entries }) => entries.length > 0 || off.has('approverCheck'))
  const [fit] = fits.filter(({ person }) => !isOwn(person))
  if (!fit) throw fits.length > 0 ? errors.approvalOwn({ id }) : errors.approvalNotYours({ id })
  const counted = new Set(agreed.flatMap((one) => [one.actor, one.standsFor]))
  if (!off.has('approvalDuties') && (counted.has(actor) || counted.has(fit.person)))
    throw errors.approvalDecided({ id })
  return { entries: fit.entries, ...(fit.person === actor ? {} : { standsFor: fit.person }) }
}
