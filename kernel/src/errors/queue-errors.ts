// The rows of errors.ts on tasks that wait, run or were given up.
import { defineError } from '../plinth-error.ts'

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
}
