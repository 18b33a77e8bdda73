// /scim/v2/Groups: a tenant's directory keeps groups, and what the connection maps them to is given to who is in them.
import type { DefencesOff } from '../defences.ts'
import type { ModulesOf } from '../permissions/tenant-modules.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import { changeGroup, createGroup, mayManageGroups, removeGroup } from '../tenants/sso/change-groups.ts'
import { type DirectoryGroup, listGroups, readGroup } from '../tenants/sso/directory-groups.ts'
import type { Instance } from './create-instance.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  type ScimListQuery,
  type ScimPatchBody,
  scimListQuery,
  scimPage,
  scimPatchBody,
} from './scim-bodies.ts'
import {
  groupFilterIn,
  groupIn,
  patched,
  type ScimGroupBody,
  scimGroup,
  scimGroupBody,
} from './scim-group-bodies.ts'
import { refuseStale, sendVersion } from './scim-version.ts'

export interface ScimParts {
  readonly runControl: RunControl
  readonly modulesOf: ModulesOf
  readonly off: DefencesOff
}

const mostItems = 200

export function scimGroupRoutes(
  app: Instance,
  ladder: Ladder,
  { runControl, modulesOf, off }: ScimParts,
): void {
  const url = '/scim/v2/Groups'
  const common = { tags: ['SCIM'] }
  const idOf = (params: unknown) => (params as { id: string }).id
  const partsFor = (by: Located) => ({ manifests: modulesOf(by.tenant), off })
  const changing = (stage: Located): Located => {
    mayManageGroups(stage)
    return stage
  }

  app.route({
    method: 'GET',
    url,
    schema: { ...common, summary: 'Groups of the directory', querystring: scimListQuery },
    ...atRung(ladder.located, async (stage, request) => {
      requireTenantPermission(stage, 'tenant.members.manage')
      const query = request.query as ScimListQuery
      const { first, limit } = scimPage(query, mostItems)
      const membersToo = !/(?:^|[,:\s])members\s*(?:,|$)/i.test(query.excludedAttributes ?? '')
      const page = { offset: first - 1, limit, withMembers: membersToo }
      const filter = groupFilterIn(query.filter)
      const { items, total } = await runControl((tx) => listGroups(tx, stage.tenant.id, filter, page))
      return {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
        totalResults: total,
        startIndex: first,
        itemsPerPage: items.length,
        Resources: items.map((group) => scimGroup(group, { membersToo })),
      }
    }),
  })
  app.route({
    method: 'GET',
    url: `${url}/:id`,
    schema: { ...common, summary: 'One group with its members', querystring: scimListQuery },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.members.manage')
      const group = await runControl((tx) => readGroup(tx, stage.tenant.id, idOf(request.params)))
      return sendVersion(request, reply, scimGroup(group))
    }),
  })
  app.route({
    method: 'POST',
    url,
    schema: { ...common, summary: 'Make a group', body: scimGroupBody },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      const by = changing(stage)
      const state = groupIn(request.body as ScimGroupBody)
      return keep(
        (run) => run((tx) => createGroup(tx, by, partsFor(by), state)),
        (made: DirectoryGroup) => {
          const group = scimGroup(made)
          return { status: 201, location: group.meta.location, etag: group.meta.version, body: group }
        },
      )
    }),
  })
  app.route({
    method: 'PUT',
    url: `${url}/:id`,
    schema: { ...common, summary: 'Replace a group', body: scimGroupBody },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const by = changing(stage)
      const state = groupIn(request.body as ScimGroupBody)
      const group = await runControl((tx) =>
        changeGroup(tx, by, partsFor(by), idOf(request.params), (before) => {
          refuseStale(request, scimGroup(before))
          return state
        }),
      )
      return sendVersion(request, reply, scimGroup(group))
    }),
  })
  app.route({
    method: 'PATCH',
    url: `${url}/:id`,
    schema: { ...common, summary: 'Change a group: displayName, externalId, members', body: scimPatchBody },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const by = changing(stage)
      const change = (before: DirectoryGroup) => {
        refuseStale(request, scimGroup(before))
        return patched(request.body as ScimPatchBody, before)
      }
      const group = await runControl((tx) => changeGroup(tx, by, partsFor(by), idOf(request.params), change))
      return sendVersion(request, reply, scimGroup(group))
    }),
  })
  app.route({
    method: 'DELETE',
    url: `${url}/:id`,
    schema: { ...common, summary: 'Remove a group, and what it gave' },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const by = changing(stage)
      const check = (group: DirectoryGroup) => refuseStale(request, scimGroup(group))
      await runControl((tx) => removeGroup(tx, by, partsFor(by), idOf(request.params), check))
      return reply.code(204).send()
    }),
  })
}
