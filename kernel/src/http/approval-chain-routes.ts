// /v1/tenant/approval-chains: who has to agree before an action runs, as the tenant wants it.
import type { FastifyRequest } from 'fastify'
import type { Approver } from '../approvals/chain.ts'
import {
  addChain,
  type ChainValues,
  type KeptChain,
  listChains,
  readChain,
  removeChain,
  replaceChain,
} from '../approvals/manage-chains.ts'
import { auditedBy } from '../audit/write-audit.ts'
import { errors, type FieldError } from '../errors.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import { type ChainBody, chainBody, chainShape } from './approval-schemas.ts'
import type { Instance } from './create-instance.ts'
import { etagOf, ifMatch, sendRecord } from './etag.ts'
import { keepingAnswer } from './keeping-answer.ts'
import { atRung, type Ladder } from './ladder.ts'
import { idParams } from './record-schemas.ts'
import { listOf, type PageQuery, pageQuery, problemResponses, tenantHeader } from './schemas.ts'

const url = '/v1/tenant/approval-chains'

const valuesOf = ({ active = true, rank = 100, when = {}, ...chain }: ChainBody): ChainValues => ({
  ...chain,
  active,
  rank,
  when,
})

const mayManage = (stage: Located) => requireTenantPermission(stage, 'tenant.approvals.manage')
const idOf = (request: FastifyRequest) => (request.params as { id: string }).id.toLowerCase()

/** Of what a chain names, what is not there. Positions are the organisation's, and looked for when somebody asks. */
async function checkNames(
  registry: Pick<PluginRegistry, 'served'>,
  tx: ControlTransaction,
  { tenant }: Located,
  chain: ChainValues,
): Promise<void> {
  const wrong: FieldError[] = []
  const action = registry.served(chain.module)?.pluginFor(tenant)?.manifest.actions[chain.entity]?.[
    chain.action
  ]
  if (!action?.approval) {
    const message = `'${chain.module}.${chain.entity}.${chain.action}' is no action that declares an approval.`
    wrong.push({ field: 'action', code: 'UNKNOWN_ACTION', message })
  }
  const named = chain.steps.flatMap(({ approvers }) => approvers)
  const people = named.flatMap((one) => ('person' in one ? [one.person] : []))
  const roles = named.flatMap((one) => ('role' in one ? [one.role] : []))
  const known = await tx.query<{ id: string }>(
    `SELECT user_id AS id FROM kernel.membership WHERE tenant_id = $1 AND user_id = ANY ($2)
     UNION ALL SELECT id::text FROM kernel.role WHERE tenant_id = $1 AND id::text = ANY ($3)`,
    [tenant.id, people, roles],
  )
  const ids = new Set(['owner', 'admin', 'member', ...known.map(({ id }) => id)])
  const isMissing = (one: Approver) =>
    ('person' in one && !ids.has(one.person)) || ('role' in one && !ids.has(one.role))
  for (const [at, { approvers, need }] of chain.steps.entries()) {
    for (const [index, one] of approvers.entries()) {
      if (!isMissing(one)) continue
      const message = 'There is no such person or role in the tenant.'
      wrong.push({ field: `steps.${at}.approvers.${index}`, code: 'UNKNOWN_APPROVER', message })
    }
    if (need !== 'all' && need > approvers.length && approvers.every((one) => 'person' in one)) {
      const message = 'It needs more people than are named.'
      wrong.push({ field: `steps.${at}.need`, code: 'TOO_MANY', message })
    }
  }
  if (wrong.length > 0) throw errors.validation({ errors: wrong })
}

const codeTaken = () => errors.recordConflict({ entity: 'approval chain', fields: ['code'] })
const auditOf = (stage: Located, id: string) => ({
  ...auditedBy(stage),
  tenantId: stage.tenant.id,
  entity: 'approvalChain',
  recordId: id,
})

export function approvalChainRoutes(
  app: Instance,
  ladder: Ladder,
  {
    registry,
    runControl,
  }: { readonly registry: Pick<PluginRegistry, 'served'>; readonly runControl: RunControl },
): void {
  const common = { tags: ['Approvals'], headers: tenantHeader }
  const found = async (
    tx: ControlTransaction,
    { tenant }: Located,
    request: FastifyRequest,
  ): Promise<KeptChain> => {
    const id = idOf(request)
    const chain = await readChain(tx, tenant.id, id)
    if (!chain) throw errors.recordNotFound({ entity: 'approval chain', id })
    const { versions } = ifMatch(request)
    if (versions && !versions.includes(chain.version))
      throw errors.versionConflict({ entity: 'approval chain', id, version: chain.version })
    return chain
  }

  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: 'The approval chains of the tenant, by their codes',
      querystring: pageQuery,
      response: { 200: listOf(chainShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      mayManage(stage)
      const { limit, cursor } = request.query as PageQuery
      return runControl((tx) => listChains(tx, stage.tenant.id, { limit: Number(limit ?? 50), cursor }))
    }),
  })
  app.route({
    method: 'GET',
    url: `${url}/:id`,
    schema: {
      ...common,
      summary: 'One approval chain',
      params: idParams,
      response: { 200: chainShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayManage(stage)
      const id = idOf(request)
      const chain = await runControl((tx) => readChain(tx, stage.tenant.id, id))
      if (!chain) throw errors.recordNotFound({ entity: 'approval chain', id })
      return sendRecord(request, reply, chain)
    }),
  })
  app.route({
    method: 'POST',
    url,
    schema: {
      ...common,
      summary: 'Create an approval chain',
      body: chainBody,
      response: { 201: chainShape, ...problemResponses },
    },
    ...keepingAnswer(ladder.located, runControl, (stage, request, keep) => {
      mayManage(stage)
      const values = valuesOf(request.body as ChainBody)
      const add = async (tx: ControlTransaction): Promise<KeptChain> => {
        await checkNames(registry, tx, stage, values)
        const added = await addChain(tx, stage.tenant.id, stage.actor.id, values)
        if (!added) throw codeTaken()
        await tx.audit({ ...auditOf(stage, added.id), action: 'created', after: added })
        return added
      }
      return keep(
        (run) => run(add),
        (body: KeptChain) => ({ status: 201, location: `${url}/${body.id}`, etag: etagOf(body), body }),
      )
    }),
  })
  app.route({
    method: 'PUT',
    url: `${url}/:id`,
    schema: {
      ...common,
      summary: 'Replace an approval chain. What is under way goes on as it was requested.',
      params: idParams,
      body: chainBody,
      response: { 200: chainShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayManage(stage)
      const values = valuesOf(request.body as ChainBody)
      const chain = await runControl(async (tx) => {
        const before = await found(tx, stage, request)
        await checkNames(registry, tx, stage, values)
        const after = await replaceChain(tx, stage.tenant.id, stage.actor.id, before.id, values)
        if (!after) throw codeTaken()
        await tx.audit({ ...auditOf(stage, before.id), action: 'changed', before, after })
        return after
      })
      return sendRecord(request, reply, chain)
    }),
  })
  app.route({
    method: 'DELETE',
    url: `${url}/:id`,
    schema: {
      ...common,
      summary: 'Delete an approval chain. What is under way goes on as it was requested.',
      params: idParams,
      response: { 204: { description: 'Deleted.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayManage(stage)
      await runControl(async (tx) => {
        const before = await found(tx, stage, request)
        await removeChain(tx, stage.tenant.id, before.id)
        await tx.audit({ ...auditOf(stage, before.id), action: 'deleted', before })
      })
      return reply.code(204).send()
    }),
  })
}
