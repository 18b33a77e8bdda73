// Work that is done later: events, and where their turns are kept.
import { integer, setting } from './setting.ts'

function redisUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  // The text may hold a password: it is never repeated in the message.
  if (!/^rediss?:$/.test(URL.parse(text)?.protocol ?? ''))
    throw new Error('must be a URL such as redis://user:password@host:6379/0')
  return text
}

export const queueSettings = {
  redisUrl: setting(
    'REDIS_URL',
    'none: PostgreSQL',
    'A Redis for the turns of the work queue. What is to be done stands in PostgreSQL either way: the store may be switched, or lost, at any time. The same for every kernel process on one database.',
    redisUrl,
  ),
  eventAttempts: setting(
    'PLINTH_EVENT_ATTEMPTS',
    '12',
    'How often a subscriber is tried with one event before it is a dead letter.',
    integer(12, 1, 100),
  ),
  retryFirstMs: setting(
    'PLINTH_RETRY_FIRST_MS',
    '1000',
    'How long the second attempt waits; each further one waits twice as long as the one before, give or take a fifth.',
    integer(1_000, 1, 3_600_000),
  ),
  retryLongestMs: setting(
    'PLINTH_RETRY_LONGEST_MS',
    '3600000',
    'The longest that an attempt waits for.',
    integer(3_600_000, 1, 604_800_000),
  ),
  workAtOnce: setting(
    'PLINTH_WORK_AT_ONCE',
    '4',
    'Turns of the work queue that one kernel process takes at once for the events of one module; each does four tasks at once.',
    integer(4, 1, 100),
  ),
  jobsAtOnce: setting(
    'PLINTH_JOBS_AT_ONCE',
    '8',
    'Jobs that one kernel process does at once, of all tenants and modules. Each holds a connection of PLINTH_POOL_SIZE while it writes.',
    integer(8, 1, 100),
  ),
  taskLeaseMs: setting(
    'PLINTH_TASK_LEASE_MS',
    '30000',
    'After how long others take over the tasks of a kernel process that has gone without a word. The same for every kernel process on one database.',
    integer(30_000, 1_000, 600_000),
  ),
  eventDays: setting(
    'PLINTH_EVENT_DAYS',
    '30',
    'For how many days events are kept after they were dispatched: what a module missed while it was switched off, and what a stream can go back to.',
    integer(30, 1, 3_650),
  ),
  taskDays: setting(
    'PLINTH_TASK_DAYS',
    '30',
    'For how many days a task is kept after it ended. Dead letters too.',
    integer(30, 1, 3_650),
  ),
}
