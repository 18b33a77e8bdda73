// /scim/v2: a tenant's directory keeps its people in step, with the key of a service account. Answers and errors have
// SCIM's own form.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import { followGroupsOf } from '../tenants/sso/change-groups.ts'
import {
  changeProvisioned,
  inTurn,
  listProvisioned,
  type ProvisionedPerson,
  provisionPerson,
  readProvisioned,
  removeProvisioned,
} from '../tenants/sso/provision.ts'
import { bodyLimit, type Instance } from './create-instance.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { asPlinthError } from './problem.ts'
import {
  changeIn,
  filterIn,
  nameIn,
  type ScimListQuery,
  type ScimPatchBody,
  type ScimUserBody,
  scimError,
  scimList,
  scimListQuery,
  scimPage,
  scimPatchBody,
  scimUser,
  scimUserBody,
} from './scim-bodies.ts'
import { scimDiscovery } from './scim-discovery.ts'
import { type ScimParts, scimGroupRoutes } from './scim-group-routes.ts'
import { refuseStale, sendVersion } from './scim-version.ts'

const mediaType = 'application/scim+json; charset=utf-8'
const mostItems = 200

export function scimRoutes(kernel: Instance, ladder: Ladder, parts: ScimParts): void {
  // An instance of its own inside the kernel's: its form of errors is nobody else's.
  void kernel.register(async (child) => {
    speakScim(child as Instance)
    scimDiscovery(child as Instance, ladder)
    userRoutes(child as Instance, ladder, parts)
    scimGroupRoutes(child as Instance, ladder, parts)
  })
}

function speakScim(app: Instance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  // Many send the header with a DELETE too, which has no body.
  app.addContentTypeParser<string>('application/scim+json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else parseJson(request, body, done)
  })
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode !== 204) void reply.header('content-type', mediaType)
  })
  app.setErrorHandler((error, request, reply) => {
    const known = asPlinthError(error, bodyLimit)
    request.log[known.level](
      { err: known.level === 'info' ? undefined : known, code: known.code },
      known.message,
    )
    // SCIM has no 422.
    const status = known.status === 422 ? 400 : known.status
    if (status === 401) void reply.header('www-authenticate', 'Bearer')
    return reply
      .code(status)
      .serializer(JSON.stringify)
      .send(scimError(status, known.message, known.code))
  })
}

function userRoutes(app: Instance, ladder: Ladder, parts: ScimParts): void {
  const { runControl, modulesOf, off } = parts
  const url = '/scim/v2/Users'
  const common = { tags: ['SCIM'] }
  const idOf = (params: unknown) => (params as { id: string }).id
  const managing = (stage: Located): Located => {
    requireTenantPermission(stage, 'tenant.members.manage')
    return stage
  }

  app.route({
    method: 'GET',
    url,
    schema: { ...common, summary: 'Members of verified domains', querystring: scimListQuery },
    ...atRung(ladder.located, async (stage, request) => {
      const { tenant } = managing(stage)
      const query = request.query as ScimListQuery
      const { first, limit } = scimPage(query, mostItems)
      const { items, total } = await runControl((tx) =>
        listProvisioned(tx, tenant.id, filterIn(query.filter), { offset: first - 1, limit }),
      )
      return scimList(items, total, first)
    }),
  })
  app.route({
    method: 'GET',
    url: `${url}/:id`,
    schema: { ...common, summary: 'One member', querystring: scimListQuery },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const { tenant } = managing(stage)
      const person = await runControl((tx) => readProvisioned(tx, tenant.id, idOf(request.params)))
      return sendVersion(request, reply, scimUser(person))
    }),
  })
  app.route({
    method: 'POST',
    url,
    schema: { ...common, summary: 'Make a person a member', body: scimUserBody },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      const by = managing(stage)
      const body = request.body as ScimUserBody
      const { userName: email, externalId, active: isActive = true } = body
      const wish = { email, name: nameIn(body), externalId, isActive }
      return keep(
        (run) => run((tx) => provisionPerson(tx, by, wish)),
        (person: ProvisionedPerson) => {
          const user = scimUser(person)
          return { status: 201, location: user.meta.location, etag: user.meta.version, body: user }
        },
      )
    }),
  })
  app.route({
    method: 'PUT',
    url: `${url}/:id`,
    schema: { ...common, summary: 'Change a member', body: scimUserBody },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const by = managing(stage)
      const { userName, externalId, active } = request.body as ScimUserBody
      const operations = [
        { op: 'replace', path: 'userName', value: userName },
        ...(active === undefined ? [] : [{ op: 'replace', path: 'active', value: active }]),
        externalId === undefined
          ? { op: 'remove', path: 'externalId' }
          : { op: 'replace', path: 'externalId', value: externalId },
      ]
      return patch(by, request, reply, { Operations: operations })
    }),
  })
  app.route({
    method: 'PATCH',
    url: `${url}/:id`,
    schema: { ...common, summary: 'Change a member: active, externalId', body: scimPatchBody },
    ...atRung(ladder.located, async (stage, request, reply) =>
      patch(managing(stage), request, reply, request.body as ScimPatchBody),
    ),
  })
  app.route({
    method: 'DELETE',
    url: `${url}/:id`,
    schema: { ...common, summary: 'Take a person out of the tenant' },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const by = managing(stage)
      const id = idOf(request.params)
      await runControl(async (tx) => {
        await inTurn(tx, by)
        refuseStale(request, scimUser(await readProvisioned(tx, by.tenant.id, id)))
        await removeProvisioned(tx, by, id)
      })
      return reply.code(204).send()
    }),
  })

  async function patch(by: Located, request: FastifyRequest, reply: FastifyReply, body: ScimPatchBody) {
    const id = idOf(request.params)
    const person = await runControl(async (tx) => {
      await inTurn(tx, by)
      const before = await readProvisioned(tx, by.tenant.id, id)
      refuseStale(request, scimUser(before))
      const after = await changeProvisioned(tx, by, id, changeIn(body, before))
      if (after.isActive && !before.isActive)
        await followGroupsOf(tx, by, { manifests: modulesOf(by.tenant), off }, id)
      return after
    })
    return sendVersion(request, reply, scimUser(person))
  }
}
