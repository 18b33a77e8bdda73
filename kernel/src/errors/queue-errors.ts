// The rows of errors.ts on work that is done later. Nobody is answered with these: they stand with the task that failed.
import { defineError } from '../plinth-error.ts'

type Nothing = Record<string, never>

export const queueErrors = {
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
