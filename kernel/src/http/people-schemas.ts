// Shapes of what people do with their own accounts, and of invitations.
import Type, { type Static } from 'typebox'
import { challengePattern } from '../identity/better-auth/one-time-codes.ts'
import { languages } from '../mail/languages.ts'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const email = Type.String({ minLength: 3, maxLength: 254, pattern: '^[^@\\s]+@[^@\\s]+$' })
const name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' })
/** A new one. */
const password = Type.String({ minLength: 10, maxLength: 256 })
/** One that is only compared: its length tells nothing here. */
const givenPassword = Type.String({ minLength: 1, maxLength: 256 })
const linkToken = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'From the link in the mail, behind the =.',
})
const language = Type.Union(languages.map((one) => Type.Literal(one)))
const code = Type.String({ pattern: '^[0-9]{6}$' })

export const nextStep = Type.Union(
  [
    Type.Object({ next: Type.Literal('confirm-email') }),
    Type.Object({
      next: Type.Literal('second-factor'),
      challenge: Type.String({ description: 'Send it back with the code, within 10 minutes.' }),
    }),
  ],
  { description: 'There is no session yet.' },
)
export const secondFactorBody = Type.Union([
  Type.Object(
    { challenge: Type.String({ pattern: challengePattern }), code },
    { ...closed, description: 'A code of the authenticator.' },
  ),
  Type.Object(
    {
      challenge: Type.String({ pattern: challengePattern }),
      recoveryCode: Type.String({ pattern: '^[A-Za-z0-9]{5}-[A-Za-z0-9]{5}$' }),
    },
    { ...closed, description: 'One of the recovery codes; it is good once.' },
  ),
])
export const emailBody = Type.Object({ email }, closed)
export const linkBody = Type.Object({ token: linkToken }, closed)
export const resetBody = Type.Object({ token: linkToken, password }, closed)

export const profileShape = Type.Object({
  id: Type.String(),
  name: Type.String(),
  email: Type.String(),
  emailVerified: Type.Boolean(),
  language,
  totp: Type.Boolean({ description: 'Codes of an authenticator are asked for at sign-in.' }),
  createdAt: timestamp,
})
export const profileBody = Type.Object(
  { name: Type.Optional(name), language: Type.Optional(language) },
  { ...closed, minProperties: 1 },
)
export const changePasswordBody = Type.Object({ current: givenPassword, password }, closed)
export const changeEmailBody = Type.Object({ email, password: givenPassword }, closed)
export const passwordBody = Type.Object({ password: givenPassword }, closed)
export const codeBody = Type.Object({ code }, closed)
export const codesSetUp = Type.Object({
  uri: Type.String({ description: 'otpauth://, for the QR code. Nothing is on before the first code.' }),
  recoveryCodes: Type.Array(Type.String(), { description: 'Shown once.' }),
})
export const recoveryCodes = Type.Object({ recoveryCodes: Type.Array(Type.String()) })
export const tokenShape = Type.Object({
  token: Type.String({ description: 'The token of this session from now on; the one before is over.' }),
})
export const sessionShape = Type.Object({
  id: Type.String(),
  isCurrent: Type.Boolean(),
  signedInAt: timestamp,
  expiresAt: timestamp,
  address: Type.Optional(Type.String()),
  userAgent: Type.Optional(Type.String()),
})
export const eventShape = Type.Object({
  id: Type.String(),
  at: timestamp,
  kind: Type.String(),
  address: Type.String(),
  userAgent: Type.Optional(Type.String()),
  detail: Type.Optional(Type.Object({}, { additionalProperties: true })),
})
export const eventQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.String({ pattern: '^([1-9][0-9]?|1[0-9][0-9]|200)$', description: '1 to 200; 50 when left out.' }),
    ),
    cursor: Type.Optional(Type.String({ format: 'uuid' })),
  },
  closed,
)
export const personShape = Type.Object({ ...profileShape.properties, isDisabled: Type.Boolean() })
export const personQuery = Type.Object(
  {
    ...eventQuery.properties,
    cursor: Type.Optional(Type.String({ maxLength: 100 })),
    email: Type.Optional(email),
  },
  closed,
)
export const disableBody = Type.Object({ reason: Type.Optional(Type.String({ maxLength: 500 })) }, closed)

export type SecondFactorBody = Static<typeof secondFactorBody>
export type EmailBody = Static<typeof emailBody>
export type LinkBody = Static<typeof linkBody>
export type ResetBody = Static<typeof resetBody>
export type ProfileBody = Static<typeof profileBody>
export type ChangePasswordBody = Static<typeof changePasswordBody>
export type ChangeEmailBody = Static<typeof changeEmailBody>
export type PasswordBody = Static<typeof passwordBody>
export type CodeBody = Static<typeof codeBody>
export type PersonQuery = Static<typeof personQuery>
export type DisableBody = Static<typeof disableBody>
