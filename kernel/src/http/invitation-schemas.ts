// Shapes of invitations.
import Type, { type Static } from 'typebox'
import { languages } from '../mail/languages.ts'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const role = Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('member')])
const language = Type.Enum(languages, { description: "Of the mail; in the tenant's when left out." })
const email = Type.String({
  minLength: 3,
  maxLength: 254,
  pattern: '^[^@\\s<>,;:"()\\[\\]\\\\]+@[^@\\s<>,;:"()\\[\\]\\\\]+$',
})
const token = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'From the link in the mail, behind the =.',
})
const tenant = Type.Object({ id: Type.String(), slug: Type.String(), name: Type.String() })

export const invitationBody = Type.Object(
  {
    email,
    role,
    language: Type.Optional(language),
  },
  closed,
)
export const invitationShape = Type.Object({
  id: Type.String({ format: 'uuid' }),
  email: Type.String(),
  role,
  language,
  state: Type.Union(['open', 'expired', 'accepted', 'revoked'].map((one) => Type.Literal(one))),
  invitedBy: Type.String({ description: 'Id of the member who sent it, last if it was sent again.' }),
  createdAt: timestamp,
  expiresAt: timestamp,
})
export const invitationId = Type.Object({ id: Type.String({ format: 'uuid' }) })
export const lookBody = Type.Object({ token }, closed)
export const invitationView = Type.Object({
  tenant,
  email: Type.String(),
  role,
  expiresAt: timestamp,
  hasAccount: Type.Boolean({
    description: 'True: sign in, and accept it then. False: accept it with a new account.',
  }),
})
export const acceptBody = Type.Object(
  {
    token,
    account: Type.Optional(
      Type.Object(
        {
          name: Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' }),
          password: Type.String({ minLength: 10, maxLength: 256 }),
        },
        { ...closed, description: 'A new account. Without it: the one whose token is sent.' },
      ),
    ),
  },
  closed,
)
export const acceptedShape = Type.Object({
  tenant,
  role,
  token: Type.Optional(Type.String({ description: 'Of the new account: it is signed in.' })),
})

export type InvitationBody = Static<typeof invitationBody>
export type LookBody = Static<typeof lookBody>
export type AcceptBody = Static<typeof acceptBody>
