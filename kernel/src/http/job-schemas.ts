// Shapes of jobs and schedules.
import Type, { type Static } from 'typebox'
import { jobStates } from '../queue/job-rows.ts'
import { pageQuery } from './schemas.ts'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const state = Type.Union(jobStates.map((one) => Type.Literal(one)))
const module = Type.String({ pattern: '^[a-z][a-z0-9]{1,30}$' })
const key = Type.String({ pattern: '^[a-z][A-Za-z0-9]{0,40}$' })
export const longestWaitSeconds = 20

export const jobShape = Type.Object({
  id: Type.String(),
  module: Type.String(),
  job: Type.String(),
  state,
  input: Type.Unknown(),
  attempt: Type.Integer({ description: '0 until it is first begun.' }),
  attemptsMax: Type.Integer(),
  progress: Type.Optional(Type.Number({ description: '0 to 1, as the job says itself.' })),
  note: Type.Optional(Type.String()),
  result: Type.Optional(Type.Unknown({ description: 'What it returned, when it is done.' })),
  error: Type.Optional(
    Type.Object(
      { code: Type.String(), message: Type.String(), at: timestamp },
      { description: 'Of the last attempt that failed.' },
    ),
  ),
  unique: Type.Optional(Type.String()),
  priority: Type.Integer(),
  startedBy: Type.String({ description: 'Id of a person or service account; kernel: its schedule.' }),
  onBehalfOf: Type.Optional(Type.String()),
  requestId: Type.String(),
  createdAt: timestamp,
  runAt: Type.String({ format: 'date-time', description: 'It is not begun, or not tried again, before.' }),
  startedAt: Type.Optional(Type.String({ format: 'date-time', description: 'Of its last attempt.' })),
  endedAt: Type.Optional(timestamp),
  cancelAskedAt: Type.Optional(timestamp),
})

export const jobParams = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'string', maxLength: 40 } },
} as const

export const namedJobParams = {
  type: 'object',
  required: ['module', 'job'],
  properties: { module: { type: 'string', maxLength: 64 }, job: { type: 'string', maxLength: 64 } },
} as const

export const jobsQuery = Type.Object(
  {
    ...pageQuery.properties,
    module: Type.Optional(module),
    job: Type.Optional(key),
    state: Type.Optional(state),
    mine: Type.Optional(
      Type.Union([Type.Literal('true'), Type.Literal('false')], { description: 'true: those I started.' }),
    ),
  },
  closed,
)
export type JobsQuery = Static<typeof jobsQuery>

export const jobQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.String({
        pattern: '^(1?[0-9]|20)$',
        description: `Seconds, ${longestWaitSeconds} at most: answers when the job has changed, or when they are over.`,
      }),
    ),
  },
  closed,
)
export type JobQueryString = Static<typeof jobQuery>

export const runJobBody = Type.Object(
  {
    input: Type.Optional(Type.Unknown({ description: 'As the module declares it.' })),
    delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 366 * 24 * 3_600_000 })),
    at: Type.Optional(Type.String({ maxLength: 40, description: 'An instant: 2026-03-31T06:00:00Z.' })),
    priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100, description: 'The lowest first.' })),
    unique: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'While one with the same key waits or runs, it is answered with, and no second is made.',
      }),
    ),
  },
  closed,
)
export type RunJobBody = Static<typeof runJobBody>

export const scheduleShape = Type.Object({
  module: Type.String(),
  job: Type.String(),
  title: Type.Optional(Type.String()),
  schedule: Type.String({ description: 'Five fields of cron.' }),
  timeZone: Type.String(),
  nextAt: timestamp,
})
