// What the routes of a module are made from.
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { Work, WorkingJob } from '../broker/work.ts'
import type { KeptAnswer } from '../data/idempotent-request.ts'
import type { TaskInHand } from '../data/task-done.ts'
import type { TenantConnections } from '../data/tenant-connections.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Permitted } from '../stages.ts'
import type { Ladder } from './ladder.ts'

export interface ModuleParts {
  readonly plugin: LoadedPlugin
  readonly ladder: Ladder
  readonly connections: TenantConnections
  readonly trail: Pick<AuditTrail, 'search'>
  /** What the request that reached this stage has used of its limits, for people who write plugins. */
  readonly spentBy: (stage: object) => string | undefined
  readonly withWork: WithWork
}

/** For whom and in what: a request that climbed so far, or what the kernel itself makes up. */
export type WorkStage = Pick<Permitted, 'plugin' | 'tenant' | 'actor' | 'ability' | 'requestId'> &
  Partial<Pick<Permitted, 'onBehalfOf' | 'address' | 'agent' | 'traceparent'>> & {
    /** What is done here is a task of the queue: it is done with the commit. */
    readonly task?: TaskInHand
    /** In the place of a credential: `event:<id>`, `job:<id>`. */
    readonly via?: string
    readonly job?: WorkingJob
  }

/**
 * Lends a Work whose unit of work commits when the function returns. A request that `entersPlugin` first takes its place
 * among its tenant's: it must not wait for one while it holds a connection and has records locked.
 */
export type WithWork = <T>(
  stage: WorkStage,
  work: (work: Work) => Promise<T>,
  options?: {
    readonly entersPlugin?: boolean
    /** What will be answered, kept in the same transaction when the request has an Idempotency-Key. */
    readonly answer?: (result: T) => KeptAnswer
  },
) => Promise<T>
