// Shapes of the routes about roles, delegations, duties and explanations.
import Type, { type Static } from 'typebox'
import { accessRule } from '../permissions/access-rule.ts'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const name = Type.String({ minLength: 1, maxLength: 120, pattern: '\\S' })
const description = Type.String({ maxLength: 1000 })
const rules = Type.Array(accessRule, { maxItems: 200 })
const person = Type.String({ minLength: 1, maxLength: 64 })
const anyRule = Type.Unsafe<object>({ type: 'object', additionalProperties: true })

export const roleShape = Type.Object({
  id: Type.String(),
  kind: Type.Union([Type.Literal('builtin'), Type.Literal('template'), Type.Literal('custom')]),
  name: Type.String(),
  description: Type.String(),
  rules: Type.Array(anyRule),
  version: Type.Integer(),
  members: Type.Optional(Type.Integer({ description: 'How many people have it.' })),
})
export const newRoleBody = Type.Object({ name, description: Type.Optional(description), rules }, closed)
export const changedRoleBody = Type.Object(
  { name: Type.Optional(name), description: Type.Optional(description), rules: Type.Optional(rules) },
  { ...closed, minProperties: 1 },
)
export const assignedRolesShape = Type.Object({
  membership: Type.String({ description: 'owner, admin or member' }),
  items: Type.Array(
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      origin: Type.String({ description: 'hand, or provider: by a group of the identity provider' }),
    }),
  ),
})
export const assignBody = Type.Object({ role: Type.String({ minLength: 1, maxLength: 64 }) }, closed)
export const permissionsShape = Type.Object({ items: Type.Array(Type.String()) })

export const delegationShape = Type.Object({
  id: Type.String({ format: 'uuid' }),
  lender: Type.String(),
  borrower: Type.String(),
  permissions: Type.Array(Type.String()),
  reason: Type.String(),
  startsAt: timestamp,
  endsAt: timestamp,
  endedAt: Type.Optional(timestamp),
  state: Type.String({ description: 'coming, running or ended' }),
})
export const newDelegationBody = Type.Object(
  {
    borrower: person,
    permissions: Type.Array(accessRule.properties.permission, {
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
    }),
    startsAt: Type.Optional(Type.String({ format: 'date-time', description: 'Now when left out.' })),
    endsAt: timestamp,
    reason: Type.Optional(Type.String({ maxLength: 500 })),
  },
  closed,
)

export const dutyShape = Type.Object({
  id: Type.String({ format: 'uuid' }),
  title: Type.String(),
  first: Type.String(),
  second: Type.String(),
  within: Type.String(),
})
const permission = Type.String({ minLength: 3, maxLength: 120 })
export const newDutyBody = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' }),
    first: permission,
    second: permission,
    within: Type.Union([Type.Literal('person'), Type.Literal('record')], {
      description: 'person: nobody has both. record: who did one on a record does not do the other on it.',
    }),
  },
  closed,
)
export const dutyReportShape = Type.Object({
  userId: Type.String(),
  role: Type.String(),
  conflicts: Type.Array(dutyShape),
})

export const explainQuery = Type.Object(
  {
    decision: Type.Optional(Type.String({ maxLength: 2000, description: 'From the answer of a 403.' })),
    user: Type.Optional(person),
    action: Type.Optional(Type.String({ maxLength: 200, description: 'finance.journalEntry.post' })),
    record: Type.Optional(Type.String({ maxLength: 64 })),
    field: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
)
export const explanationShape = Type.Unsafe<object>({ type: 'object', additionalProperties: true })

export type NewRoleBody = Static<typeof newRoleBody>
export type ChangedRoleBody = Static<typeof changedRoleBody>
export type NewDelegationBody = Static<typeof newDelegationBody>
export type NewDutyBody = Static<typeof newDutyBody>
export type ExplainQuery = Static<typeof explainQuery>
