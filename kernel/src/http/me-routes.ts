// /v1/me: the caller's own account, whichever tenants he belongs to.
import { listIdentityEvents } from '../identity/identity-events.ts'
import type { IdentityParts } from '../identity/identity-parts.ts'
import {
  changeProfile,
  listSessions,
  readProfile,
  revokeOtherSessions,
  revokeSession,
} from '../identity/own-account.ts'
import { changePassword, requirePassword } from '../identity/passwords.ts'
import type { Person } from '../identity/persons.ts'
import { askNewEmail } from '../identity/verify-email.ts'
import type { Instance } from './create-instance.ts'
import { ifShown, sendShown } from './etag.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  type ChangeEmailBody,
  type ChangePasswordBody,
  changeEmailBody,
  changePasswordBody,
  eventQuery,
  eventShape,
  type ProfileBody,
  profileBody,
  profileShape,
  sessionShape,
} from './people-schemas.ts'
import { listOf, type PageQuery, pageQuery, problemResponses } from './schemas.ts'

const tags = ['Identity']
const done = (description: string) => ({ description, type: 'null' })

export const profileOf = ({ id, name, email, isVerified, language, hasTotp, createdAt }: Person) => ({
  id,
  name,
  email,
  emailVerified: isVerified,
  language,
  totp: hasTotp,
  createdAt,
})

export const pageOf = ({ limit, cursor }: PageQuery) => ({
  limit: Number(limit ?? 50),
  ...(cursor === undefined ? {} : { cursor }),
})

export function meRoutes(app: Instance, ladder: Ladder, parts: IdentityParts): void {
  app.route({
    method: 'GET',
    url: '/v1/me',
    schema: { tags, summary: 'The caller', response: { 200: profileShape, ...problemResponses } },
    ...atRung(ladder.identified, async ({ actor }, request, reply) =>
      sendShown(request, reply, profileOf(await readProfile(parts, actor))),
    ),
  })
  app.route({
    method: 'PATCH',
    url: '/v1/me',
    schema: {
      tags,
      summary: "Change the caller's name, or the language of his mails",
      body: profileBody,
      response: { 200: profileShape, ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      const change = request.body as ProfileBody
      const expectShown = ifShown(request, 'person', who.actor.id)
      const expect = (before: Person) => expectShown(profileOf(before))
      return sendShown(request, reply, profileOf(await changeProfile(parts, who.actor, change, who, expect)))
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/me/password',
    schema: {
      tags,
      summary: 'Change the password; ends all other sessions',
      body: changePasswordBody,
      response: { 204: done('Changed.'), ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      await changePassword(parts, who.actor, request.body as ChangePasswordBody, who)
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/me/email',
    schema: {
      tags,
      summary: 'Ask for another address; the link in the mail to it makes the change',
      body: changeEmailBody,
      response: { 202: done('If nobody has the address, a mail is on its way to it.'), ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      const { email, password } = request.body as ChangeEmailBody
      const origin = who
      await requirePassword(parts, who.actor, password, origin)
      await askNewEmail(parts, who.actor.id, email, origin)
      return reply.code(202).send()
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/me/sessions',
    schema: {
      tags,
      summary: 'Where the caller is signed in',
      querystring: pageQuery,
      response: { 200: listOf(sessionShape), ...problemResponses },
    },
    ...atRung(ladder.identified, async ({ actor }, request) =>
      listSessions(parts, actor, pageOf(request.query as PageQuery)),
    ),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/me/sessions',
    schema: {
      tags,
      summary: 'End all sessions but this one',
      response: { 204: done('Ended.'), ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, _request, reply) => {
      await revokeOtherSessions(parts, who.actor, who)
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/me/sessions/:id',
    schema: {
      tags,
      summary: 'End a session of the caller',
      response: { 204: done('Ended.'), ...problemResponses },
    },
    ...atRung(ladder.identified, async (who, request, reply) => {
      const { id } = request.params as { id: string }
      await revokeSession(parts, who.actor, id, who)
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/me/events',
    schema: {
      tags,
      summary: "What happened to the caller's account, newest first",
      querystring: eventQuery,
      response: { 200: listOf(eventShape), ...problemResponses },
    },
    ...atRung(ladder.identified, async ({ actor }, request) =>
      parts.runControl((tx) => listIdentityEvents(tx, actor.id, pageOf(request.query as PageQuery))),
    ),
  })
}
