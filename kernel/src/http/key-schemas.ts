// Shapes of service accounts and API keys.
import Type, { type Static } from 'typebox'
import { scopeList } from './token-schemas.ts'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })
const description = Type.String({ maxLength: 1_000 })
const role = Type.Union([Type.Literal('admin'), Type.Literal('member')])
const expiresInDays = Type.Integer({ minimum: 1, maximum: 730, description: '90 when left out.' })

export const serviceAccountShape = Type.Object({
  id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  description: Type.String(),
  role,
  active: Type.Boolean({ description: 'The keys of an account that is not active do not work.' }),
  version: Type.Integer(),
  createdAt: timestamp,
  createdBy: Type.String(),
})
export const newServiceAccountBody = Type.Object(
  { name, description: Type.Optional(description), role },
  closed,
)
export const serviceAccountChange = Type.Object(
  {
    name: Type.Optional(name),
    description: Type.Optional(description),
    role: Type.Optional(role),
    active: Type.Optional(Type.Boolean()),
  },
  { ...closed, minProperties: 1 },
)

export const keyShape = Type.Object({
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  networks: Type.Array(Type.String(), { description: 'Where it may be used from; empty: anywhere.' }),
  createdAt: timestamp,
  createdBy: Type.String(),
  expiresAt: timestamp,
  revokedAt: Type.Optional(timestamp),
  replacedBy: Type.Optional(Type.String({ description: 'Id of the key it was rotated to.' })),
  lastUsedAt: Type.Optional(Type.String({ format: 'date-time', description: 'To the hour.' })),
})
export const newKeyShape = Type.Object({
  ...keyShape.properties,
  key: Type.String({ description: 'The key itself. It is shown here and never again.' }),
})
export const newKeyBody = Type.Object(
  {
    name,
    scopes: scopeList,
    networks: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        maxItems: 50,
        description: 'Networks it may be used from, such as 203.0.113.0/24; anywhere when left out.',
      }),
    ),
    expiresInDays: Type.Optional(expiresInDays),
  },
  closed,
)
export const rotateKeyBody = Type.Object(
  {
    overlapHours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 168,
        description: 'How long the old key works on; 24 when left out.',
      }),
    ),
    expiresInDays: Type.Optional(expiresInDays),
  },
  closed,
)

export type NewServiceAccountBody = Static<typeof newServiceAccountBody>
export type ServiceAccountChange = Static<typeof serviceAccountChange>
export type NewKeyBody = Static<typeof newKeyBody>
export type RotateKeyBody = Static<typeof rotateKeyBody>
