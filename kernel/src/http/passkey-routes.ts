// /v1/me/passkeys: the caller's passkeys. /v1/auth/passkey: signing in with one.
import type { IdentityParts } from '../identity/identity-parts.ts'
import {
  addPasskey,
  beginPasskey,
  beginPasskeySignIn,
  listPasskeys,
  removePasskey,
  signInWithPasskey,
} from '../identity/passkeys.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  type NewPasskeyBody,
  newPasskeyBody,
  type PasskeySignInBody,
  passkeyId,
  passkeyOptions,
  passkeyShape,
  passkeySignInBody,
} from './passkey-schemas.ts'
import { type PasswordBody, passwordBody } from './people-schemas.ts'
import { listOf, problemResponses, signedIn } from './schemas.ts'

const tags = ['Identity']

export function passkeyRoutes(app: Instance, ladder: Ladder, parts: IdentityParts): void {
  app.route({
    method: 'POST',
    url: '/v1/me/passkeys/options',
    schema: {
      tags,
      summary: 'Begin to add a passkey: what the device is asked',
      body: passwordBody,
      response: { 200: passkeyOptions, ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request) =>
      beginPasskey(parts, who.actor, (request.body as PasswordBody).password, who),
    ),
  })
  app.route({
    method: 'POST',
    url: '/v1/me/passkeys',
    schema: {
      tags,
      summary: 'Add a passkey, with what the device answered',
      body: newPasskeyBody,
      response: { 201: passkeyShape, ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      const made = await addPasskey(parts, who.actor, request.body as NewPasskeyBody, who)
      return reply.code(201).send(made)
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/me/passkeys',
    schema: {
      tags,
      summary: "The caller's passkeys, 20 at most",
      response: { 200: listOf(passkeyShape), ...problemResponses },
    },
    ...atRung(ladder.identified, async ({ actor }) => ({ items: await listPasskeys(parts, actor) })),
  })
  app.route({
    method: 'POST',
    url: '/v1/me/passkeys/:id/remove',
    schema: {
      tags,
      summary: 'Remove a passkey',
      params: passkeyId,
      body: passwordBody,
      response: { 204: { description: 'Removed.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      const { id } = request.params as { id: string }
      const { password } = request.body as PasswordBody
      await removePasskey(parts, who.actor, { id, password }, who)
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/passkey/options',
    schema: {
      tags,
      summary: 'Begin to sign in with a passkey: what the device is asked',
      security: [],
      response: { 200: passkeyOptions, ...problemResponses },
    },
    ...atRung(ladder.arrived, async () => beginPasskeySignIn(parts)),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/passkey/sign-in',
    schema: {
      tags,
      summary: 'Sign in with a passkey; it stands for password and code',
      security: [],
      body: passkeySignInBody,
      response: { 200: signedIn, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request) =>
      signInWithPasskey(parts, request.body as PasskeySignInBody, arrival),
    ),
  })
}
