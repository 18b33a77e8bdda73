// Shapes of the operator's routes on queues and tasks.
import Type, { type Static } from 'typebox'
import { mostSettled } from '../queue/settle-tasks.ts'

const closed = { additionalProperties: false }
const text = Type.String({ minLength: 1, maxLength: 200 })
const timestamp = Type.String({ format: 'date-time' })
const tenant = Type.String({ minLength: 1, maxLength: 64, description: 'Slug or id.' })
const module = Type.String({ minLength: 1, maxLength: 64 })
const taskId = Type.String({ pattern: '^[1-9][0-9]{0,18}$' })
const limit = Type.Optional(Type.String({ pattern: '^([1-9][0-9]?|1[0-9][0-9]|200)$' }))

export const taskParams = Type.Object({ tenant, id: taskId })
export const pauseParams = Type.Object({ id: Type.String({ format: 'uuid' }) })

const figures = {
  queue: Type.String({ description: 'events.<module>, jobs.<module> or webhooks.' }),
  waiting: Type.Integer({ description: 'In all, also those that wait for their time.' }),
  due: Type.Integer({ description: 'Their time has come.' }),
  running: Type.Integer(),
  dead: Type.Integer({ description: 'Given up after the last attempt: retry or discard them.' }),
  oldestSeconds: Type.Integer({ description: 'Since when the oldest that is due waits.' }),
}
export const queuesShape = Type.Object({
  items: Type.Array(Type.Object(figures)),
  outbox: Type.Object(
    { waiting: Type.Integer(), oldestSeconds: Type.Integer() },
    { description: 'Events that are committed and not handed on yet.' },
  ),
})
export const queueTenantsQuery = Type.Object({ queue: Type.Optional(text), limit }, closed)
export type QueueTenantsQuery = Static<typeof queueTenantsQuery>
export const tenantFiguresShape = Type.Object({ tenant: Type.String(), slug: Type.String(), ...figures })

const state = Type.Union(
  (['waiting', 'running', 'done', 'dead', 'cancelled', 'skipped'] as const).map((name) => Type.Literal(name)),
)
const meant = {
  tenant: Type.Optional(tenant),
  queue: Type.Optional(text),
  module: Type.Optional(module),
  name: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "An event's full name, or a job's key." }),
  ),
  code: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'Of the error of the last attempt.' }),
  ),
  before: Type.Optional(Type.String({ format: 'date-time', description: 'Created before it.' })),
}
export const tasksQuery = Type.Object(
  { ...meant, state: Type.Optional(state), limit, cursor: Type.Optional(taskId) },
  closed,
)
export type TasksQuery = Static<typeof tasksQuery>
export const taskShape = Type.Object({
  tenant: Type.String(),
  id: Type.String(),
  kind: Type.String(),
  queue: Type.String(),
  module: Type.String(),
  name: Type.String(),
  state,
  attempt: Type.Integer(),
  attemptsMax: Type.Integer(),
  runAt: timestamp,
  createdAt: timestamp,
  startedAt: Type.Optional(timestamp),
  endedAt: Type.Optional(timestamp),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
  requestId: Type.String({ description: 'Of the request that led to it.' }),
  traceparent: Type.Optional(Type.String()),
})

export const settleBody = Type.Object(meant, {
  ...closed,
  minProperties: 1,
  description: 'Which of the tasks that were given up. At least one field.',
})
export type SettleBody = Static<typeof settleBody>
export const settledShape = Type.Object({
  tasks: Type.Integer({ description: `At most ${mostSettled}; ask again while it is as many.` }),
})

export const pauseBody = Type.Object(
  {
    tenant: Type.Optional(tenant),
    module: Type.Optional(module),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 500, pattern: '\\S' })),
  },
  { ...closed, anyOf: [{ required: ['tenant'] }, { required: ['module'] }] },
)
export type PauseBody = Static<typeof pauseBody>
export const pauseShape = Type.Object({
  id: Type.String(),
  tenant: Type.Optional(Type.String({ description: 'Id; absent: every tenant.' })),
  module: Type.Optional(Type.String({ description: 'Absent: every module.' })),
  reason: Type.Optional(Type.String()),
  pausedBy: Type.String(),
  pausedAt: timestamp,
})
