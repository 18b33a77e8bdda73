// Shapes of the audit trail's API.
import Type, { type Static } from 'typebox'

const text = Type.String()
const word = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 200, description }))
const moment = (description: string) => Type.Optional(Type.String({ format: 'date-time', description }))
const values = Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()])

export const auditFilters = {
  from: moment('No earlier than this.'),
  to: moment('Earlier than this.'),
  actor: word('Id of who did it.'),
  module: word('`kernel` for what is no record of a module.'),
  entity: word('`account`, `membership`, `settings` ...'),
  record: word('Id of the record.'),
  action: word('`create`, `update`, `changed`, the name of an action ...'),
  requestId: word('Everything that one request did.'),
}

const page = {
  limit: Type.Optional(
    Type.String({ pattern: '^([1-9][0-9]?|1[0-9][0-9]|200)$', description: '1 to 200; 50 when left out.' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
}
const closed = { additionalProperties: false }

export const auditQuery = Type.Object({ ...auditFilters, ...page }, closed)
export const exportQuery = Type.Object(auditFilters, closed)
const { from, to, actor, action } = auditFilters
export const signInQuery = Type.Object({ from, to, actor, action, ...page }, closed)
export const anchorQuery = Type.Object(
  { limit: page.limit, cursor: Type.Optional(Type.String({ format: 'uuid' })) },
  closed,
)
export const verifyQuery = Type.Object(
  {
    tenant: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Slug or id, also of one that is gone; the trail of the installation when left out.',
      }),
    ),
    anchor: Type.Optional(
      Type.String({
        pattern: '^[1-9]\\d{0,14}:[0-9a-fA-F]{64}$',
        description: '`seq:hash`, as it was given out.',
      }),
    ),
  },
  closed,
)

export const auditShape = Type.Object({
  id: text,
  at: Type.String({ format: 'date-time' }),
  actor: Type.Object({ id: text, name: Type.Optional(text) }),
  onBehalfOf: Type.Optional(Type.String({ description: 'Id of the person whose right was used.' })),
  via: Type.Optional(
    Type.String({ description: '`session`, `access` (a token of one), or `key:` and its id.' }),
  ),
  module: text,
  entity: text,
  record: text,
  action: text,
  before: values,
  after: values,
  requestId: text,
  traceId: Type.Optional(text),
  address: Type.Optional(text),
  agent: Type.Optional(text),
})

const anchor = {
  seq: Type.Integer(),
  hash: text,
  sealedAt: Type.String({ format: 'date-time' }),
}
export const anchorShape = Type.Object({ tenant: text, ...anchor })
export const verificationShape = Type.Object({
  tenant: text,
  ok: Type.Boolean(),
  seals: Type.Integer(),
  rows: Type.Integer(),
  waiting: Type.Integer({ description: 'Not sealed yet.' }),
  purged: Type.Integer({ description: 'Gone because the plan keeps them no longer.' }),
  problems: Type.Array(text),
  anchor: Type.Optional(Type.Object(anchor)),
})

export type AuditQuery = Static<typeof auditQuery>
export type VerifyQuery = Static<typeof verifyQuery>
