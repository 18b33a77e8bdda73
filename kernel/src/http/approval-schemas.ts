// Shapes of approvals, chains and absences.
import Type, { type Static } from 'typebox'
import { condition, step } from '../approvals/chain.ts'
import { pageQuery } from './schemas.ts'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const uuid = Type.String({ format: 'uuid' })
const key = Type.String({ pattern: '^[a-z][A-Za-z0-9]{0,40}$' })
const states = ['open', 'approved', 'rejected', 'returned', 'withdrawn', 'outdated'] as const
const state = Type.Union(states.map((one) => Type.Literal(one)))
const comment = Type.Optional(Type.String({ minLength: 1, maxLength: 1_000 }))

export const chainBody = Type.Object(
  {
    code: Type.String({ pattern: '^[a-z][a-z0-9-]{0,62}$', description: 'By which a module may choose it.' }),
    title: Type.String({ minLength: 1, maxLength: 120, pattern: '\\S' }),
    module: Type.String({ pattern: '^[a-z][a-z0-9]{1,30}$' }),
    entity: key,
    action: key,
    active: Type.Optional(Type.Boolean({ description: 'true when left out.' })),
    rank: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        description: 'Of several that fit, the lowest is taken; 100 when left out.',
      }),
    ),
    when: Type.Optional(condition),
    steps: Type.Array(step, { minItems: 1, maxItems: 20 }),
  },
  closed,
)
export type ChainBody = Static<typeof chainBody>

export const chainShape = Type.Object({
  id: uuid,
  version: Type.Integer(),
  code: Type.String(),
  title: Type.String(),
  module: Type.String(),
  entity: Type.String(),
  action: Type.String(),
  active: Type.Boolean(),
  rank: Type.Integer(),
  when: condition,
  steps: Type.Array(step),
  createdAt: timestamp,
  createdBy: Type.String(),
  updatedAt: timestamp,
  updatedBy: Type.String(),
})

export const approvalShape = Type.Object({
  id: uuid,
  module: Type.String(),
  entity: Type.String(),
  record: uuid,
  action: Type.String(),
  input: Type.Unknown({ description: 'What the action is given.' }),
  amount: Type.Optional(Type.Object({ amount: Type.String(), currency: Type.String() })),
  unit: Type.Optional(Type.String()),
  chain: Type.String({ description: 'Code of the chain.' }),
  state,
  step: Type.Integer({ description: 'The step it is at, from 0.' }),
  steps: Type.Array(
    Type.Object({
      title: Type.String(),
      need: Type.Union([Type.Literal('all'), Type.Integer()]),
      approvers: Type.Array(Type.Array(Type.String())),
    }),
    {
      description:
        'As they were when it was requested; approvers as person:<id>, role:<name>, position:<id>.',
    },
  ),
  waitingFor: Type.Array(Type.String()),
  requestedBy: Type.String(),
  requestedAt: timestamp,
  stepSince: timestamp,
  endedAt: Type.Optional(timestamp),
})

export const approvalWithHistory = Type.Intersect([
  approvalShape,
  Type.Object({
    history: Type.Array(
      Type.Object({
        at: timestamp,
        actor: Type.String(),
        standsFor: Type.Optional(Type.String()),
        what: Type.String(),
        step: Type.Integer(),
        comment: Type.Optional(Type.String()),
      }),
    ),
  }),
])

export const approvalQuery = Type.Object(
  {
    ...pageQuery.properties,
    box: Type.Optional(
      Type.Union([Type.Literal('inbox'), Type.Literal('requested'), Type.Literal('all')], {
        description:
          'inbox (the default): what waits for me. requested: what I have asked for. all: with tenant.approvals.read.',
      }),
    ),
    state: Type.Optional(state),
    module: Type.Optional(Type.String({ maxLength: 64 })),
    record: Type.Optional(uuid),
  },
  closed,
)
export type ApprovalListQuery = Static<typeof approvalQuery>

export const decisionBody = Type.Object(
  {
    decision: Type.Union([Type.Literal('approve'), Type.Literal('reject'), Type.Literal('return')]),
    comment,
  },
  closed,
)
export type DecisionBody = Static<typeof decisionBody>

export const withdrawBody = Type.Object({ comment }, closed)
export type WithdrawBody = Static<typeof withdrawBody>

const person = Type.String({ minLength: 1, maxLength: 64 })
const day = Type.String({ format: 'date' })

export const absenceBody = Type.Object(
  {
    person: Type.Optional({
      ...person,
      description: 'Me unless said; another with tenant.approvals.manage.',
    }),
    substitute: person,
    from: day,
    to: day,
  },
  closed,
)
export type AbsenceBody = Static<typeof absenceBody>

export const absenceShape = Type.Object({
  id: uuid,
  person: Type.String(),
  substitute: Type.String(),
  from: day,
  to: day,
  createdAt: timestamp,
  createdBy: Type.String(),
})
