// The rows of errors.ts on tasks: what an operator is told, and what stands with one that failed.
import { defineError } from '../plinth-error.ts'

type Nothing = Record<string, never>

export const queueErrors = {
  taskNotFound: defineError<{ task: string }>(
    'TASK_NOT_FOUND',
    404,
    'info',
    (d) => `There is no task '${d.task}', or it ended so long ago that it is no longer kept.`,
  ),
  taskState: defineError<{ task: string; state: string; allowed: readonly string[] }>(
    'TASK_STATE',
    409,
    'info',
    (d) => `The task '${d.task}' is ${d.state}. This can be done to one that is ${d.allowed.join(' or ')}.`,
  ),
  pauseNotFound: defineError<{ pause: string }>(
    'PAUSE_NOT_FOUND',
    404,
    'info',
    (d) => `There is no pause '${d.pause}'. See GET /v1/operator/pauses.`,
  ),
  tooManyPauses: defineError<{ most: number }>(
    'TOO_MANY_PAUSES',
    409,
    'info',
    (d) =>
      `There are ${d.most} pauses already. Pause the module or the tenant as a whole, or take some away.`,
  ),
  taskTaken: defineError<Nothing>(
    'TASK_TAKEN',
    409,
    'info',
    () => 'Somebody else has taken the task over. Nothing was changed.',
  ),
  taskLost: defineError<Nothing>(
    'TASK_LOST',
    503,
    'warn',
    () => 'The process that did the task ended in the middle of it. Nothing was changed.',
  ),
  eventVersion: defineError<{ module: string; event: string; version: string; range: string }>(
    'EVENT_VERSION_MISMATCH',
    409,
    'warn',
    (d) =>
      `The module '${d.module}' understands the event '${d.event}' of versions '${d.range}', and this one is of ${d.version}.`,
  ),
}
