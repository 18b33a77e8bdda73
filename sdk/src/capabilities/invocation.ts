// Capability: for whom, by whom and when. Fixed by the kernel for the whole invocation.

import type { CivilDate } from '../fields/values.ts'

export interface InvocationCapability {
  readonly tenant: {
    readonly id: string
    /** The currency the tenant keeps its books in. */
    readonly currency: string
    /** BCP 47, for texts and formats: `en-IN`. */
    readonly locale: string
    /** IANA: `Asia/Kolkata`. */
    readonly timeZone: string
  }
  readonly user: {
    readonly id: string
    /** Whether the user holds a permission of this plugin: `ctx.user.can('invoice.issue')`. */
    can(permission: string): boolean
  }
  /** The current day where the tenant is, by its time zone. */
  readonly today: CivilDate
}
