// /v1/auth/password and /v1/auth/email: what is asked for and confirmed with links in mails.
import type { IdentityParts } from '../identity/identity-parts.ts'
import { askPasswordReset, resetPassword } from '../identity/passwords.ts'
import { confirmEmail, sendVerification } from '../identity/verify-email.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  type EmailBody,
  emailBody,
  type LinkBody,
  linkBody,
  type ResetBody,
  resetBody,
} from './people-schemas.ts'
import { problemResponses } from './schemas.ts'

const tags = ['Identity']
const asked = { description: 'If the address has an account, a mail is on its way.', type: 'null' }
const done = (description: string) => ({ description, type: 'null' })

export function mailboxRoutes(app: Instance, ladder: Ladder, parts: IdentityParts): void {
  app.route({
    method: 'POST',
    url: '/v1/auth/password/forgot',
    schema: {
      tags,
      summary: 'Be sent a link to set a new password; the answer is the same for every address',
      security: [],
      body: emailBody,
      response: { 202: asked, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      await askPasswordReset(parts, (request.body as EmailBody).email, arrival)
      return reply.code(202).send()
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/password/reset',
    schema: {
      tags,
      summary: 'Set a new password with the link; ends all sessions',
      security: [],
      body: resetBody,
      response: { 204: done('The new password is set.'), ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      await resetPassword(parts, request.body as ResetBody, arrival)
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/email/verify',
    schema: {
      tags,
      summary: 'Be sent the link that confirms an address again; the answer is the same for every address',
      security: [],
      body: emailBody,
      response: { 202: asked, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      await sendVerification(parts, (request.body as EmailBody).email, arrival)
      return reply.code(202).send()
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/email/confirm',
    schema: {
      tags,
      summary: 'Confirm an address with the link: after sign-up, or a new one',
      security: [],
      body: linkBody,
      response: { 204: done('The address is confirmed.'), ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request, reply) => {
      await confirmEmail(parts, (request.body as LinkBody).token, arrival)
      return reply.code(204).send()
    }),
  })
}
