// Capability: asking the tenant's people to agree to an action. Only with `needs: { approvals: true }`. Nothing here
// decides: that is done by people, over the kernel's own API.

import type { Money } from '../fields/values.ts'

/** What is to be approved: an action of this plugin that declares `approval`, on one of its records. */
export interface ApprovalRequest {
  readonly entity: string
  /** Id of the record. */
  readonly record: string
  readonly action: string
  /** What the action is given when it runs. */
  readonly input?: Readonly<Record<string, unknown>>
  /** Chooses steps by amount; unless given, the field that the action names. */
  readonly amount?: Money
  /** Chooses steps by unit: the id of an `organisation.unit`; unless given, the field that the action names. */
  readonly unit?: string
  /** Code of one of the tenant's chains, instead of the first that fits. */
  readonly chain?: string
}

export interface ApprovalRequested {
  readonly state: 'open' | 'notNeeded'
  /** Of the approval, when there is one. */
  readonly id?: string
}

export interface ApprovalsCapability {
  readonly approvals: {
    /**
     * Asks for an approval on behalf of the user. The action runs in the transaction of the last approval, with the right
     * of who asked. `notNeeded` when the tenant has no chain for it: then the plugin does what it would have asked for.
     *
     * ```ts
     * const { state } = await ctx.approvals.request({ entity: 'order', record: order.id, action: 'release' })
     * ```
     */
    request(request: ApprovalRequest): Promise<ApprovalRequested>
  }
}
