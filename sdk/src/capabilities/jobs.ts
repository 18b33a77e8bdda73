// Capability: work for later, and in it the job that is being done.

import type { Fields, In } from '../fields/field.ts'

export interface EnqueueOptions {
  /** Not before so many milliseconds have passed; a year is the most. Not together with `at`. */
  readonly delayMs?: number
  /** Not before this instant: a `Date`, or ISO 8601 with its zone, `2026-03-31T06:00:00Z`. A year ahead is the most. */
  readonly at?: Date | string
  /** -100 to 100, the lowest first. Without it 0. */
  readonly priority?: number
  /** As long as a job of this name and key waits or runs, no second one is enqueued: the id is that of the first. */
  readonly unique?: string
}

export interface Enqueued {
  /** What `GET /v1/tenant/jobs/{id}` knows it by. */
  readonly id: string
}

type Arguments<I> = unknown extends I
  ? [input?: Readonly<Record<never, never>>, options?: EnqueueOptions]
  : I extends Fields
    ? Readonly<Record<never, never>> extends In<I>
      ? [input?: In<I>, options?: EnqueueOptions]
      : [input: In<I>, options?: EnqueueOptions]
    : never

export interface JobsCapability<J> {
  /**
   * Has one of the plugin's jobs run after, and only if, this invocation commits:
   * `await ctx.enqueue('close', { year: 2026 }, { unique: '2026' })`. The input is checked here, not when the job runs.
   */
  enqueue<K extends keyof J & string>(job: K, ...rest: Arguments<J[K]>): Promise<Enqueued>
}

/** In the handler of a job. */
export interface JobCapability {
  readonly job: {
    readonly id: string
    /** 1, and one more each time it is tried again. */
    readonly attempt: number
    /**
     * Says how far it is, from 0 to 1, at once and whatever becomes of the attempt. A job somebody asked to cancel ends
     * here, or at its next call of anything else; what it has written is undone.
     */
    progress(fraction: number, note?: string): Promise<void>
  }
}
