// /v1/tenant/invitations: who is asked to join. /v1/auth/invitations: what the one who was asked does with it.
import { errors } from '../errors.ts'
import type { IdentityParts } from '../identity/identity-parts.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import { acceptAsNew, acceptSignedIn, lookAtInvitation } from '../tenants/accept-invitation.ts'
import {
  type Invitation,
  invite,
  listInvitations,
  resendInvitation,
  revokeInvitation,
} from '../tenants/invitations.ts'
import type { Instance } from './create-instance.ts'
import {
  type AcceptBody,
  acceptBody,
  acceptedShape,
  type InvitationBody,
  invitationBody,
  invitationId,
  invitationShape,
  invitationView,
  type LookBody,
  lookBody,
} from './invitation-schemas.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { pageOf } from './me-routes.ts'
import { eventQuery } from './people-schemas.ts'
import { listOf, type PageQuery, problemResponses, tenantHeader } from './schemas.ts'

export function invitationRoutes(app: Instance, ladder: Ladder, parts: IdentityParts): void {
  const common = { tags: ['Tenants'], headers: tenantHeader }
  const one = { ...common, params: invitationId }
  const idOf = (params: unknown) => (params as { id: string }).id
  app.route({
    method: 'POST',
    url: '/v1/tenant/invitations',
    schema: {
      ...common,
      summary: 'Invite somebody by mail',
      body: invitationBody,
      response: { 201: invitationShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, parts.runControl, (stage, request, keep) => {
      const { language, ...body } = request.body as InvitationBody
      const wish = { ...body, ...(language && { language }) }
      return keep(
        (run) => invite({ ...parts, runControl: run }, stage, wish),
        (made: Invitation) => ({
          status: 201,
          location: `/v1/tenant/invitations/${made.id}`,
          body: made,
        }),
      )
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenant/invitations',
    schema: {
      ...common,
      summary: 'Who was invited, newest first',
      querystring: eventQuery,
      response: { 200: listOf(invitationShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      requireTenantPermission(stage, 'tenant.members.manage')
      return listInvitations(parts.runControl, stage.tenant.id, pageOf(request.query as PageQuery))
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/invitations/:id/resend',
    schema: {
      ...one,
      summary: 'Send an invitation again, with a new link; the one before is over',
      response: { 200: invitationShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, parts.runControl, (stage, request, keep) =>
      keep(
        (run) => resendInvitation({ ...parts, runControl: run }, stage, idOf(request.params)),
        (body: Invitation) => ({ body }),
      ),
    ),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tenant/invitations/:id',
    schema: {
      ...one,
      summary: 'Revoke an invitation',
      response: { 204: { description: 'Revoked.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      await revokeInvitation(parts, stage, idOf(request.params))
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/invitations/look',
    schema: {
      tags: ['Identity'],
      summary: 'What the holder of the link is invited to',
      security: [],
      body: lookBody,
      response: { 200: invitationView, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (_arrival, request) =>
      lookAtInvitation(parts, (request.body as LookBody).token),
    ),
  })
  app.route({
    method: 'POST',
    url: '/v1/auth/invitations/accept',
    schema: {
      tags: ['Identity'],
      summary: 'Accept an invitation, signed in with the account of its address, or with a new one',
      security: [{ bearer: [] }, {}],
      body: acceptBody,
      response: { 200: acceptedShape, ...problemResponses },
    },
    ...atRung(ladder.arrived, async (arrival, request) => {
      const { token, account } = request.body as AcceptBody
      if (account) {
        if (request.headers.authorization !== undefined) throw errors.invitationNeedsSignIn({})
        return acceptAsNew(parts, { token, ...account }, arrival)
      }
      const { actor } = await ladder.identified(request)
      return acceptSignedIn(parts, token, actor, arrival)
    }),
  })
}
