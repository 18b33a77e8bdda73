// Shapes of passkeys. What devices send and are sent is as Web Authentication has it in JSON.
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const timestamp = Type.String({ format: 'date-time' })
const base64url = (most: number) => Type.String({ pattern: '^[A-Za-z0-9_-]+$', maxLength: most })
const challengeId = Type.String({ format: 'uuid' })
const credential = {
  id: base64url(1_400),
  rawId: base64url(1_400),
  type: Type.Literal('public-key'),
  clientExtensionResults: Type.Object({}),
  authenticatorAttachment: Type.Optional(
    Type.Union([Type.Literal('platform'), Type.Literal('cross-platform')]),
  ),
}

export const passkeyOptions = Type.Object({
  challengeId,
  options: Type.Object(
    {},
    { additionalProperties: true, description: 'For navigator.credentials; see parse...OptionsFromJSON.' },
  ),
})
export const newPasskeyBody = Type.Object(
  {
    challengeId,
    name: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }),
    response: Type.Object({
      ...credential,
      response: Type.Object({
        clientDataJSON: base64url(10_000),
        attestationObject: base64url(100_000),
      }),
    }),
  },
  closed,
)
export const passkeySignInBody = Type.Object(
  {
    challengeId,
    response: Type.Object({
      ...credential,
      response: Type.Object({
        clientDataJSON: base64url(10_000),
        authenticatorData: base64url(10_000),
        signature: base64url(10_000),
        userHandle: Type.Optional(base64url(200)),
      }),
    }),
  },
  closed,
)
export const passkeyShape = Type.Object({
  id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  isBackedUp: Type.Boolean({ description: 'On more than one device, or kept by a password manager.' }),
  createdAt: timestamp,
  lastUsedAt: Type.Optional(timestamp),
})
export const passkeyId = Type.Object({ id: Type.String({ format: 'uuid' }) })

export type NewPasskeyBody = Static<typeof newPasskeyBody>
export type PasskeySignInBody = Static<typeof passkeySignInBody>
