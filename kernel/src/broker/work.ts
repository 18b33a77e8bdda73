// One piece of work for one tenant and one actor, in one module: who it is for, what he may do, and the unit of work
// it happens in. The kernel makes it; a plugin's message never says any of this.
import type { Json } from '@plinth/sdk'
import type { Approvers } from '../approvals/approvers.ts'
import type { Chain } from '../approvals/chain.ts'
import type { ChainAction } from '../approvals/chains.ts'
import type { UnitOfWork } from '../data/unit-of-work.ts'
import type { Outside } from '../outside/outside.ts'
import type { Ability } from '../permissions/build-ability.ts'
import type { DutyGuard } from '../permissions/duty-guard.ts'
import type { Handler } from '../protocol/envelope.ts'
import type { Lane } from '../queue/task.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Actor, Tenant } from '../stages.ts'
import type { Spending } from './spending.ts'

/** The job that is being done. */
export interface WorkingJob {
  readonly id: string
  readonly module: string
  readonly attempt: number
  /** @throws JOB_CANCELLED when somebody has asked for that */
  goOn(): Promise<void>
  /** Written at once, outside the unit of work. @throws JOB_CANCELLED */
  progress(fraction: number, note: string | undefined): Promise<void>
}

export interface Work {
  readonly plugin: LoadedPlugin
  readonly tenant: Tenant
  readonly actor: Actor
  readonly ability: Ability
  readonly unit: UnitOfWork
  readonly requestId: string
  /** Whose right is used, when it is not the actor's own. */
  readonly onBehalfOf?: string
  readonly spending: Spending
  readonly outside: Outside
  readonly duties: DutyGuard
  readonly approvers: Approvers
  chainsFor(action: ChainAction): Promise<readonly Chain[]>
  /** Handlers around it. */
  readonly depth: number
  /** It works for a validate hook, however deep. */
  readonly inHook?: boolean
  /** The request took its place among the tenant's before it took a connection (see sandbox/fair-queue.ts). */
  readonly isAdmitted?: boolean
  readonly job?: WorkingJob | undefined
  /** Told when tasks of these lanes were committed. */
  readonly tasksAdded: (lanes: readonly Lane[]) => void
  /** The same work, done in the name of whoever lent the right to it. */
  inNameOf(lender: string | undefined): Work
  /** Runs a handler of this work's own plugin, in its sandbox, within the same unit of work. */
  run(handler: Handler, input: Json): Promise<Json>
  /** As `run`, giving the answer's JSON text as it left the sandbox. */
  runText(handler: Handler, input: Json): Promise<string>
  /** Runs a service of another module in the same unit of work, with that module's own rights. */
  callService(module: string, service: string, input: Json): Promise<Json>
}
