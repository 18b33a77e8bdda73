// The rows of errors.ts on jobs.
import { defineError } from '../plinth-error.ts'

export const jobErrors = {
  jobNotFound: defineError<{ id: string }>('JOB_NOT_FOUND', 404, 'info', (d) => `There is no job '${d.id}'.`),
  jobUnknown: defineError<{ module: string; job: string; nearest?: string }>(
    'JOB_UNKNOWN',
    404,
    'info',
    (d) =>
      `The module '${d.module}' declares no job '${d.job}'.${d.nearest === undefined ? '' : ` Did you mean '${d.nearest}'?`}`,
  ),
  jobEnded: defineError<{ id: string; state: string }>(
    'JOB_ENDED',
    409,
    'info',
    (d) => `The job '${d.id}' has ended: it is '${d.state}', and there is nothing left to cancel.`,
  ),
  jobNotDead: defineError<{ id: string; state: string }>(
    'JOB_NOT_DEAD',
    409,
    'info',
    (d) =>
      `The job '${d.id}' is '${d.state}'. Only one that is 'dead' or 'cancelled' is tried again by hand.`,
  ),
  jobPending: defineError<{ id: string }>(
    'JOB_PENDING',
    409,
    'info',
    (d) => `Another job with the unique key of the job '${d.id}' waits or runs already.`,
  ),
  jobCancelled: defineError<{ id: string }>(
    'JOB_CANCELLED',
    409,
    'info',
    (d) => `The job '${d.id}' was cancelled while it ran. What it had done is undone.`,
  ),
}
