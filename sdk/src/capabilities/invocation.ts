// Capability: for whom, by whom and when. Fixed by the kernel for the whole invocation.

import type { CivilDate } from '../fields/values.ts'

export interface InvocationCapability {
  readonly tenant: {
    readonly id: string /** The currency the tenant keeps its books in. */
    readonly currency: string
  }
  readonly user: {
    readonly id: string
    /** Whether the user holds a permission of this plugin: `ctx.user.can('invoice.issue')`. */
    can(permission: string): boolean
  }
  /** The current day in UTC: tenants have no time zone of their own yet. */
  readonly today: CivilDate
}
