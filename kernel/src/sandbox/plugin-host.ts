// What the kernel asks of whatever runs a plugin: its manifest, and its handlers.
import type { CallName } from '../protocol/calls.ts'
import type { Handler, InvocationContext } from '../protocol/envelope.ts'
import type { Leave } from './fair-queue.ts'

export interface HostInvocation {
  /** Module, for errors and the log. */
  readonly module: string
  readonly tenant: string
  readonly requestId: string
  readonly handler: Handler
  readonly inputJson: string
  readonly context: InvocationContext
  readonly limits: { readonly cpuMs: number; readonly wallMs: number }
  /**
   * Its request is inside a plugin already, by `admit` or as the caller of this one: it may not wait for a place that
   * is given back when it ends.
   */
  readonly isAdmitted?: boolean
  /** Has `stop` called when nobody waits for it any more. Gives how to forget it. */
  onEnd?(stop: () => void): () => void
  /** Told at the end how much CPU it took. */
  spent(cpuMs: number): void
  /** Counts bytes of arguments and answers. @throws LIMIT_EXCEEDED */
  spend?(limit: 'bytesIn' | 'bytesOut', bytes: number): void
  /** Counts a line of the log; false when there were too many already. */
  mayLog?(): boolean
  /** The broker: answers a call of the plugin, or throws what the caller should see. */
  answer(name: CallName, input: unknown): Promise<unknown>
}

/** One process of a plugin. */
export interface HostStats {
  readonly pid: number
  readonly rssMb: number
  readonly isolates: number
  /** Invocations in it. */
  readonly inside: number
  /** Messages it sent for invocations that were over. */
  readonly dropped: number
  /** When it was started, ISO 8601. */
  readonly since: string
}

export interface PluginHostStats {
  /** None when it has been idle or is being started. */
  readonly hosts: readonly HostStats[]
  readonly inside: number
  readonly waiting: number
  /** Since the plugin was loaded, by reason. */
  readonly deaths: Readonly<Record<string, number>>
  /** Of all its processes, ended ones too. */
  readonly dropped: number
}

export interface PluginHost {
  /** The manifest as the plugin's code gives it; anything at all. */
  describe(): Promise<unknown>
  /** The handler's answer, as JSON text. Rejects with a PlinthError or, for `fail()`, with a PluginRefusal. */
  invoke(invocation: HostInvocation): Promise<string>
  /**
   * Waits for a place among the tenant's invocations, before the request takes anything others wait for (a database
   * connection, a lock). Absent where there are no places. @throws MODULE_UNAVAILABLE
   */
  admit?(module: string, tenant: string, waitMs: number): Promise<Leave>
  /** Absent where there is no process. */
  stats?(): PluginHostStats
  close(): Promise<void>
}
