// Whom a unit of work is for, and what is to be known of it before it begins.
import type { AuditOrigin } from './audit-outbox.ts'
import type { Announcement } from './change-feed.ts'
import type { TaskInHand } from './task-done.ts'

export interface UnitScope {
  readonly tenant: string
  /** Id of the person on whose behalf this happens. */
  readonly actor: string
  readonly requestId: string
  /** Id of the person whose right the actor uses, where it is not his own. */
  readonly onBehalfOf?: string
  readonly origin?: AuditOrigin
  /** The connection is cut when the unit takes longer: 30 s. */
  readonly deadlineMs?: number
  /** The database refuses every write in it. */
  readonly readOnly?: boolean
  /** Asked at the commit which of the modules whose records were changed others must hear of. */
  readonly tell?: (changed: ReadonlySet<string>) => Announcement | undefined
  /** What it does is done with its commit, and not done without it. */
  readonly task?: TaskInHand
  /** Told when events were committed. Must cost nothing. */
  readonly emitted?: () => void
}

const unitDeadlineMs = 30_000

export const deadlineOf = ({ deadlineMs = unitDeadlineMs }: UnitScope): number => deadlineMs
