// Doing one task, whatever comes of it: what fails is tried again later, and after its last attempt it is a dead letter.
import type { Logger } from 'pino'
import { errors, isPlinthError } from '../errors.ts'
import type { Endings } from './end-task.ts'
import type { Task, TaskKind } from './task.ts'

/** Does the task and marks it as done, in one transaction. Throws to fail the attempt. */
export type RunTask = (task: Task) => Promise<void>

/** Nobody is to do it, for a reason that no further attempt would change. */
export class Skipped extends Error {}

/** By kind; what this kernel does not do is not claimed. */
export type TaskRunners = Readonly<Partial<Record<TaskKind, RunTask>>>

export interface AttemptParts {
  readonly runners: TaskRunners
  readonly endings: Endings
  readonly log: Logger
}

/** Nothing that another attempt could change. */
const isFinal = (error: unknown): boolean => isPlinthError(error) && finalCodes.includes(error.code)
const finalCodes: readonly string[] = [errors.eventVersion.code, errors.jobUnknown.code]

/** Why it was not begun at all: then it is no failed attempt. Seconds. */
function retryAfterOf(error: unknown): number | undefined {
  if (!isPlinthError(error) || error.code !== errors.moduleUnavailable.code) return undefined
  const { retryAfter } = error.data
  return typeof retryAfter === 'number' ? retryAfter : undefined
}

/** False when those of its subject are to wait for it. Never rejects. */
export function attempter({ runners, endings, log }: AttemptParts): (task: Task) => Promise<boolean> {
  async function attempt(task: Task): Promise<boolean> {
    const about = {
      task: task.id,
      kind: task.kind,
      name: task.name,
      module: task.module,
      tenant: task.tenant,
    }
    try {
      const run = runners[task.kind]
      if (!run) throw new Error(`no task of the kind '${task.kind}' can be done here`)
      await run(task)
      return true
    } catch (error) {
      if (error instanceof Skipped) {
        await endings.skip(task)
        return true
      }
      if (isPlinthError(error) && error.code === errors.taskTaken.code) return false
      if (isPlinthError(error) && error.code === errors.jobCancelled.code) {
        await endings.cancel(task)
        return true
      }
      const seconds = retryAfterOf(error)
      if (seconds !== undefined) {
        await endings.postpone(task, seconds * 1_000)
        return false
      }
      const state = await endings.fail(task, error, isFinal(error))
      if (state === 'cancelled') return true
      log[state === 'dead' ? 'error' : 'warn'](
        { ...about, err: error, attempt: task.attempt, requestId: task.requestId },
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
