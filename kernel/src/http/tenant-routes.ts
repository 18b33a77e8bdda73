// /v1/tenants: the caller's tenants and new ones. /v1/tenant: the current one, its members.

import { auditedBy } from '../audit/write-audit.ts'
import type { ModulePlugins } from '../entitlements/switch-module.ts'
import { errors } from '../errors.ts'
import {
  addMember,
  changeMember,
  getMember,
  listMembers,
  type Member,
  removeMember,
} from '../tenants/change-members.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { provisionTenant } from '../tenants/provision-tenant.ts'
import { readTenant, type TenantDirectory } from '../tenants/tenant-directory.ts'
import type { Instance } from './create-instance.ts'
import { digestTag, ifShown, sendShown } from './etag.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  listOf,
  type MemberBody,
  memberBody,
  memberShape,
  type NewMemberBody,
  newMemberBody,
  type PageQuery,
  pageQuery,
  problemResponses,
  tenantHeader,
} from './schemas.ts'
import { type OnboardingBody, onboardingBody, ownTenantShape } from './tenant-life-schemas.ts'
import { tenantView } from './tenant-view.ts'

export function tenantRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly directory: TenantDirectory
    readonly runControl: RunControl
    readonly plugins: ModulePlugins
    /** Nobody is made a member who was not asked. */
    readonly isInvited: boolean
  },
): void {
  const { directory, runControl, plugins, isInvited } = parts
  const tags = ['Tenants']

  app.route({
    method: 'POST',
    url: '/v1/tenants',
    schema: {
      tags,
      summary: 'Create a tenant with all it begins with; the caller becomes its owner',
      body: onboardingBody,
      response: { 201: ownTenantShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.identified, runControl, (stage, request, keep) => {
      const by = { by: auditedBy(stage), owner: stage.actor }
      return keep(
        (run) => provisionTenant(run, by, request.body as OnboardingBody, plugins),
        async (id: string, tx) => ({
          status: 201,
          location: '/v1/tenant',
          body: tenantView(await readTenant(tx, id), 'owner'),
        }),
      )
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenants',
    schema: {
      tags,
      summary: 'The tenants the caller is a member of, 500 at most',
      response: { 200: listOf(ownTenantShape), ...problemResponses },
    },
    ...atRung(ladder.presented, async ({ actor, tenantClaim }) => ({
      items: (await directory.tenantsOf(actor.id))
        .filter(({ tenant }) => tenantClaim === undefined || tenant.id === tenantClaim)
        .map(({ tenant, role }) => tenantView(tenant, role)),
    })),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenant/members',
    schema: {
      tags,
      summary: 'Who belongs to the tenant',
      headers: tenantHeader,
      querystring: pageQuery,
      response: { 200: listOf(memberShape), ...problemResponses },
    },
    ...atRung(ladder.reading('tenant.members.read'), async ({ tenant }, request) => {
      const { limit, cursor } = request.query as PageQuery
      return listMembers(runControl, tenant.id, {
        limit: Number(limit ?? 50),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/members',
    schema: {
      tags,
      summary: 'Add a person who has an account; where addresses are confirmed first, invite him instead',
      headers: tenantHeader,
      body: newMemberBody,
      response: { 201: memberShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      // It tells whether an address has an account, and lets somebody in who was not asked.
      if (isInvited) throw errors.invitationRequired({})
      return keep(
        (run) => addMember(run, stage, request.body as NewMemberBody),
        (member: Member) => ({
          status: 201,
          location: `/v1/tenant/members/${member.userId}`,
          etag: digestTag(member),
          body: member,
        }),
      )
    }),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenant/members/:userId',
    schema: {
      tags,
      summary: 'One member',
      headers: tenantHeader,
      response: { 200: memberShape, ...problemResponses },
    },
    ...atRung(ladder.reading('tenant.members.read'), async ({ tenant }, request, reply) => {
      const { userId } = request.params as { userId: string }
      return sendShown(request, reply, await getMember(runControl, tenant.id, userId))
    }),
  })
  app.route({
    method: 'PATCH',
    url: '/v1/tenant/members/:userId',
    schema: {
      tags,
      summary: "Change a member's role, or deactivate him: he is out at once, and keeps his place",
      headers: tenantHeader,
      body: memberBody,
      response: { 200: memberShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const { userId } = request.params as { userId: string }
      const expect = ifShown(request, 'member', userId)
      const member = await changeMember(runControl, stage, userId, request.body as MemberBody, expect)
      return sendShown(request, reply, member)
    }),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tenant/members/:userId',
    schema: {
      tags,
      summary: 'Remove a member, or leave',
      headers: tenantHeader,
      response: { 204: { description: 'Removed.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const { userId } = request.params as { userId: string }
      await removeMember(runControl, stage, userId, ifShown(request, 'member', userId))
      return reply.code(204).send()
    }),
  })
}
