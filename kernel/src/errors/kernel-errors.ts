// The rows of errors.ts on the kernel and its database.
import { defineError } from '../plinth-error.ts'

type Nothing = Record<string, never>

export const kernelErrors = {
  databaseUnavailable: defineError<Nothing>(
    'DATABASE_UNAVAILABLE',
    503,
    'error',
    () => 'The database does not answer at the moment. Try again.',
  ),
  commitUncertain: defineError<Nothing>(
    'COMMIT_UNCERTAIN',
    503,
    'error',
    () =>
      'The database went away while it was saving: the change may or may not have been saved. Read before you repeat it.',
  ),
  databaseTimeout: defineError<Nothing>(
    'DATABASE_TIMEOUT',
    503,
    'warn',
    () => 'The database took too long over this request and stopped it. Nothing was changed.',
  ),
  answerTooLarge: defineError<{ bytes: number; limit: number }>(
    'DATABASE_ANSWER_TOO_LARGE',
    503,
    'warn',
    (d) =>
      `The database answered with more than ${d.limit} bytes and was cut off. Nothing was changed. Ask for fewer records.`,
  ),
  overloaded: defineError<{ waitedMs: number }>(
    'OVERLOADED',
    503,
    'warn',
    (d) =>
      `There is more to do than can be done: the request waited ${d.waitedMs} ms for its turn. Try again.`,
  ),
  underPressure: defineError<Nothing>(
    'UNDER_PRESSURE',
    503,
    'warn',
    () => 'The kernel has more to do than it can, and has not begun this. Try again.',
  ),
  internal: defineError<Nothing>('INTERNAL', 500, 'error', () => 'Something went wrong on our side.'),
}
