// Doing one task, whatever comes of it: what fails is tried again later, and after its last attempt it is a dead letter.
import type { Logger } from 'pino'
import { errors, isPlinthError } from '../errors.ts'
import type { TaskWatcher } from '../telemetry/queue-metrics.ts'
import { traceIdOf } from '../telemetry/trace-context.ts'
import type { Endings } from './end-task.ts'
import type { Task, TaskKind } from './task.ts'

/** Does the task and marks it as done, in one transaction. Throws to fail the attempt; who settles it himself says what came of it. */
export type RunTask = (task: Task) => Promise<string | undefined>

/** Nobody is to do it, for a reason that no further attempt would change. */
export class Skipped extends Error {}

/** By kind; what this kernel does not do is not claimed. */
export type TaskRunners = Readonly<Partial<Record<TaskKind, RunTask>>>

export interface AttemptParts {
  readonly runners: TaskRunners
  readonly endings: Endings
  readonly watcher: TaskWatcher
  readonly log: Logger
}

/** Nothing that another attempt could change. */
const isFinal = (error: unknown): boolean => isPlinthError(error) && finalCodes.includes(error.code)
const finalCodes: readonly string[] = [errors.eventVersion.code, errors.jobUnknown.code]

/** There was no room for it, or no database: nothing that the task can be blamed for. */
const notItsFault: ReadonlySet<string> = new Set([
  errors.overloaded.code,
  errors.databaseUnavailable.code,
  errors.commitUncertain.code,
])
/** These say when to come again where it was not begun: the module is held or starting, or a minute's CPU is used up. */
const mayComeAgain: ReadonlySet<string> = new Set([errors.moduleUnavailable.code, errors.limitExceeded.code])

/** In seconds, for what is no failed attempt. */
function retryAfterOf(error: unknown): number | undefined {
  if (!isPlinthError(error)) return undefined
  if (notItsFault.has(error.code)) return 1
  const { retryAfter } = error.data
  return mayComeAgain.has(error.code) && typeof retryAfter === 'number' ? retryAfter : undefined
}

/** False when those of its subject are to wait for it. Never rejects. */
export function attempter({
  runners,
  endings,
  watcher,
  log,
}: AttemptParts): (task: Task) => Promise<boolean> {
  async function attempt(task: Task): Promise<boolean> {
    const { id, kind, name, module, tenant, requestId, traceparent } = task
    const traceId = traceparent === null ? undefined : traceIdOf(traceparent)
    const about = { task: id, kind, name, module, tenant, requestId, traceId }
    const startedAt = performance.now()
    const ended = (outcome: string) =>
      watcher.task(kind, module, outcome, (performance.now() - startedAt) / 1_000)
    try {
      const run = runners[task.kind]
      if (!run) throw new Error(`no task of the kind '${task.kind}' can be done here`)
      ended((await run(task)) ?? 'done')
      return true
    } catch (error) {
      if (error instanceof Skipped) {
        await endings.skip(task)
        ended('skipped')
        return true
      }
      if (isPlinthError(error) && error.code === errors.taskTaken.code) return false
      if (isPlinthError(error) && error.code === errors.jobCancelled.code) {
        await endings.cancel(task)
        ended('cancelled')
        return true
      }
      const seconds = retryAfterOf(error)
      if (seconds !== undefined) {
        await endings.postpone(task, seconds * 1_000)
        ended('postponed')
        return false
      }
      const state = await endings.fail(task, error, isFinal(error))
      ended(state === 'waiting' ? 'retried' : state)
      if (state === 'cancelled') return true
      log[state === 'dead' ? 'error' : 'warn'](
        { ...about, err: error, attempt: task.attempt },
        state === 'dead' ? 'a task is a dead letter' : 'a task failed; it is tried again',
      )
      return state === 'dead'
    }
  }

  return (task) =>
    attempt(task).catch((error: unknown) => {
      // What became of it cannot be written down: its lease ends, and somebody looks at it then.
      log.warn({ err: error, task: task.id }, 'the end of a task could not be noted')
      return false
    })
}
