// Jobs, put together beside open-queue.ts: their turns, what does one, and their schedules.
import type pg from 'pg'
import type { Logger } from 'pino'
import type { ChangeFeed } from '../data/change-feed.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import { type JobRuleParts, jobClaims } from './claim-jobs.ts'
import { createJobTurns, type JobTurns } from './job-turns.ts'
import type { Leases } from './leases.ts'
import { jobRunner, type RunJobParts } from './run-job.ts'
import type { RunTask } from './run-task.ts'
import { type Schedules, startSchedules } from './schedules.ts'
import type { Lane, Task } from './task.ts'

export interface JobParts extends JobRuleParts, Omit<RunJobParts, 'pool'> {
  readonly registry: PluginRegistry
  readonly pool: pg.Pool
  readonly feed: ChangeFeed
  readonly worker: string
  readonly lease: number
  readonly leases: Pick<Leases, 'holding'>
  readonly addTurns: (lanes: readonly Lane[]) => Promise<void>
  readonly attempt: (task: Task) => Promise<boolean>
  readonly isStopping: () => boolean
  /** At once in this process. */
  readonly places: number
  readonly log: Logger
}

export interface Jobs {
  readonly run: RunTask
  readonly turns: JobTurns
  readonly schedules: Schedules
}

export function openJobs(parts: JobParts): Jobs {
  const { pool, worker, lease } = parts
  return {
    run: jobRunner(parts),
    turns: createJobTurns({ ...parts, claim: jobClaims(pool, parts, worker, lease) }),
    schedules: startSchedules(parts),
  }
}
