// /v1/tenant/roles and /v1/tenant/members/{userId}/roles: what people may do, beside their membership.
import { assignRole, rolesOfMember, unassignRole } from '../permissions/assign-roles.ts'
import { changeRole, createRole, deleteRole, type TenantRole } from '../permissions/change-roles.ts'
import { permissionCatalogue } from '../permissions/check-rules.ts'
import { findRole, listRoles } from '../permissions/list-roles.ts'
import type { GrantParts } from '../permissions/may-grant.ts'
import type { ModulesOf } from '../permissions/tenant-modules.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import {
  assignBody,
  assignedRolesShape,
  type ChangedRoleBody,
  changedRoleBody,
  type NewRoleBody,
  newRoleBody,
  permissionsShape,
  roleShape,
} from './access-schemas.ts'
import type { Instance } from './create-instance.ts'
import { etagOf, ifMatch, sendRecord } from './etag.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { listOf, type PageQuery, pageQuery, problemResponses, tenantHeader } from './schemas.ts'

const idOf = (params: unknown): string => (params as { id: string }).id

export function roleRoutes(
  app: Instance,
  ladder: Ladder,
  parts: GrantParts & { readonly modulesOf: ModulesOf },
): void {
  const { runControl, modulesOf } = parts
  const common = { tags: ['Roles'], headers: tenantHeader }
  const done = { 204: { description: 'Done.', type: 'null' }, ...problemResponses }
  const manage = (stage: Located) => {
    requireTenantPermission(stage, 'tenant.roles.manage')
    return modulesOf(stage.tenant)
  }

  app.route({
    method: 'GET',
    url: '/v1/tenant/permissions',
    schema: {
      ...common,
      summary: 'Every permission that a rule can name: of the tenant and of its modules',
      response: { 200: permissionsShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage) => ({ items: permissionCatalogue(manage(stage)) })),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenant/roles',
    schema: {
      ...common,
      summary: 'Roles: of memberships, suggested by modules, and the tenant’s own',
      querystring: pageQuery,
      response: { 200: listOf(roleShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      const { limit, cursor } = request.query as PageQuery
      return listRoles(runControl, manage(stage), stage.tenant.id, {
        limit: Number(limit ?? 50),
        ...(cursor === undefined ? {} : { cursor }),
      })
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/roles',
    schema: {
      ...common,
      summary: 'Make a role; nobody puts more into it than he may do himself',
      body: newRoleBody,
      response: { 201: roleShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) =>
      keep(
        (run) => createRole({ ...parts, runControl: run }, manage(stage), stage, request.body as NewRoleBody),
        (role: TenantRole) => ({
          status: 201,
          location: `/v1/tenant/roles/${role.id}`,
          etag: etagOf(role),
          body: role,
        }),
      ),
    ),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenant/roles/:id',
    schema: { ...common, summary: 'One role', response: { 200: roleShape, ...problemResponses } },
    ...atRung(ladder.located, async (stage, request, reply) =>
      sendRecord(request, reply, await findRole(runControl, manage(stage), stage, idOf(request.params))),
    ),
  })
  app.route({
    method: 'PATCH',
    url: '/v1/tenant/roles/:id',
    schema: {
      ...common,
      summary: 'Change a role for everybody who has it, from the next request',
      body: changedRoleBody,
      response: { 200: roleShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const changes = { ...(request.body as ChangedRoleBody), ...ifMatch(request) }
      const role = await changeRole(parts, manage(stage), stage, idOf(request.params), changes)
      return sendRecord(request, reply, role)
    }),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tenant/roles/:id',
    schema: { ...common, summary: 'Remove a role that nobody has', response: done },
    ...atRung(ladder.located, async (stage, request, reply) => {
      manage(stage)
      await deleteRole(runControl, stage, idOf(request.params), ifMatch(request).versions)
      return reply.code(204).send()
    }),
  })

  app.route({
    method: 'GET',
    url: '/v1/tenant/members/:userId/roles',
    schema: {
      ...common,
      summary: 'The roles of a member; everybody may see his own',
      response: { 200: assignedRolesShape, ...problemResponses },
    },
    ...atRung(ladder.reading('tenant.members.read'), async (stage, request) => {
      const { userId } = request.params as { userId: string }
      if (userId !== stage.actor.id) manage(stage)
      return rolesOfMember(runControl, stage.tenant.id, userId)
    }),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/members/:userId/roles',
    schema: { ...common, summary: 'Give a member a role', body: assignBody, response: done },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      const { userId } = request.params as { userId: string }
      const { role } = request.body as { role: string }
      return keep(
        (run) => assignRole({ ...parts, runControl: run }, manage(stage), stage, userId, role),
        () => ({}),
      )
    }),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tenant/members/:userId/roles/:id',
    schema: { ...common, summary: 'Take a role from a member', response: done },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const { userId, id } = request.params as { userId: string; id: string }
      await unassignRole(parts, manage(stage), stage, userId, id)
      return reply.code(204).send()
    }),
  })
}
