// Shapes of access tokens and of the keys that sign them.
import Type, { type Static } from 'typebox'
import { scopePattern } from '../permissions/scopes.ts'

const closed = { additionalProperties: false }

export const scopeList = Type.Array(Type.String({ pattern: scopePattern, maxLength: 200 }), {
  minItems: 1,
  maxItems: 100,
  uniqueItems: true,
  description:
    'Names of permissions, such as finance.account.read, finance.account.*, finance.* or tenant.usage.read; * for all.',
})

export const tokenBody = Type.Object(
  {
    refreshToken: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Of the exchange before. Without it the bearer token must be of a session.',
      }),
    ),
    tenant: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Slug or id: the token reaches this tenant alone.',
      }),
    ),
    scopes: Type.Optional(scopeList),
  },
  closed,
)
export type TokenBody = Static<typeof tokenBody>

export const issuedTokens = Type.Object({
  accessToken: Type.String({ description: 'A JWT. Send it as "Authorization: Bearer <token>".' }),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds.' }),
  refreshToken: Type.String({
    description: 'For the next access token. It works once: the answer has another one.',
  }),
})

export const keySet = Type.Object({
  keys: Type.Array(Type.Object({ kty: Type.String(), kid: Type.String() }, { additionalProperties: true })),
})

export const rotationBody = Type.Object(
  {
    endOthers: Type.Optional(
      Type.Boolean({
        description: 'The keys before are no longer accepted, nor what they signed: after a theft.',
      }),
    ),
  },
  closed,
)
export type RotationBody = Static<typeof rotationBody>
