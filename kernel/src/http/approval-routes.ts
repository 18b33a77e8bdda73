// /v1/tenant/approvals: what waits for me, what I have asked for, deciding, and what happened.
import type { FastifyRequest } from 'fastify'
import type pg from 'pg'
import { entriesOf } from '../approvals/judge-step.ts'
import {
  type Approval,
  listApprovals,
  readApproval,
  readHistory,
  type Whose,
} from '../approvals/read-approvals.ts'
import type { DefencesOff } from '../defences.ts'
import { enabledPlugin } from '../entitlements/check-entitlement.ts'
import { errors } from '../errors.ts'
import {
  holdsTenantPermission,
  requireTenantPermission,
  requireUncut,
} from '../permissions/tenant-permissions.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Located } from '../stages.ts'
import {
  type ApprovalListQuery,
  approvalQuery,
  approvalShape,
  approvalWithHistory,
  type DecisionBody,
  decisionBody,
  type WithdrawBody,
  withdrawBody,
} from './approval-schemas.ts'
import type { Instance } from './create-instance.ts'
import { type DecideParts, decideApproval, withdrawApproval } from './decide-approval.ts'
import { atRung, type Ladder } from './ladder.ts'
import { idParams } from './record-schemas.ts'
import { listOf, problemResponses, tenantHeader } from './schemas.ts'

const url = '/v1/tenant/approvals'

const view = ({ recordId, recordVersion: _, waiting, steps, ...approval }: Approval) => ({
  ...approval,
  record: recordId,
  steps: steps.map(({ title, need, approvers }) => ({ title, need, approvers })),
  waitingFor: waiting,
})

/** Deciding is for people themselves, with all that is theirs: no key and no part of somebody's rights agrees to anything. */
function mustBePerson(stage: Located): void {
  requireUncut(stage)
  if (stage.credential === 'key' || stage.actor.isService) throw errors.personRequired({})
}

export interface ApprovalRouteParts extends DecideParts {
  readonly pool: pg.Pool
  readonly registry: Pick<PluginRegistry, 'served' | 'pluginFor'>
}

export function approvalRoutes(
  app: Instance,
  ladder: Ladder,
  parts: ApprovalRouteParts,
  off: DefencesOff,
): void {
  const { pool, registry, approvers, askOrganisation } = parts
  const common = { tags: ['Approvals'], headers: tenantHeader }
  const idOf = (request: FastifyRequest) => (request.params as { id: string }).id.toLowerCase()
  const capacitiesOf = ({ tenant, actor, requestId }: Located) =>
    approvers.capacitiesOf(tenant, actor.id, askOrganisation(tenant, requestId))

  async function whose(stage: Located, box: ApprovalListQuery['box']): Promise<Whose> {
    if (box === 'requested') return { requestedBy: stage.actor.id }
    if (box === 'all') {
      requireTenantPermission(stage, 'tenant.approvals.read')
      return 'everybody'
    }
    return { waitingFor: await capacitiesOf(stage) }
  }

  async function find(stage: Located, request: FastifyRequest): Promise<Approval> {
    const id = idOf(request)
    const approval = await readApproval(pool, stage.tenant.id, id)
    if (!approval) throw errors.approvalNotFound({ id })
    return approval
  }

  /** For who asked, who is or was among those to decide, and who may see all. */
  async function mustSee(stage: Located, approval: Approval): Promise<void> {
    if (approval.requestedBy === stage.actor.id || holdsTenantPermission(stage, 'tenant.approvals.read'))
      return
    const history = await readHistory(pool, stage.tenant.id, approval.id)
    if (history.some(({ actor }) => actor === stage.actor.id)) return
    const capacities = await capacitiesOf(stage)
    const isNamed = approval.steps.some((step) =>
      capacities.some(({ keys }) => entriesOf(step, keys).length > 0),
    )
    if (!isNamed) throw errors.approvalNotFound({ id: approval.id })
  }

  const viewNow = async (stage: Located, id: string) => {
    const approval = await readApproval(pool, stage.tenant.id, id)
    if (!approval) throw errors.approvalNotFound({ id })
    return { ...view(approval), history: await readHistory(pool, stage.tenant.id, id) }
  }

  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: 'Approvals, newest first: those that wait for me unless said otherwise',
      querystring: approvalQuery,
      response: { 200: listOf(approvalShape), ...problemResponses },
    },
    ...atRung(ladder.reading('tenant.approvals.read'), async (stage, request) => {
      const { box, limit, ...query } = request.query as ApprovalListQuery
      const page = await listApprovals(pool, stage.tenant.id, {
        ...query,
        whose: await whose(stage, box),
        limit: Number(limit ?? 50),
      })
      return { ...page, items: page.items.map(view) }
    }),
  })
  app.route({
    method: 'GET',
    url: `${url}/:id`,
    schema: {
      ...common,
      summary: 'One approval with all that happened to it',
      params: idParams,
      response: { 200: approvalWithHistory, ...problemResponses },
    },
    ...atRung(ladder.reading('tenant.approvals.read'), async (stage, request) => {
      const approval = await find(stage, request)
      await mustSee(stage, approval)
      return viewNow(stage, approval.id)
    }),
  })
  app.route({
    method: 'POST',
    url: `${url}/:id/decision`,
    schema: {
      ...common,
      summary:
        'Approve, reject, or return to who asked. The last approval runs the action in the same transaction.',
      params: idParams,
      body: decisionBody,
      response: { 200: approvalWithHistory, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      mustBePerson(stage)
      const approval = await find(stage, request)
      const plugin = enabledPlugin(registry, stage, approval.module)
      const state = await decideApproval(parts, stage, plugin, approval, request.body as DecisionBody, off)
      // That it has ended is kept; what was asked for is not done.
      if (state === 'outdated') throw errors.approvalOutdated({ id: approval.id })
      return viewNow(stage, approval.id)
    }),
  })
  app.route({
    method: 'POST',
    url: `${url}/:id/withdraw`,
    schema: {
      ...common,
      summary: 'Take a request back: who asked, or who manages approvals',
      params: idParams,
      body: withdrawBody,
      response: { 200: approvalWithHistory, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      const approval = await find(stage, request)
      await mustSee(stage, approval)
      if (approval.requestedBy !== stage.actor.id) requireTenantPermission(stage, 'tenant.approvals.manage')
      const plugin = enabledPlugin(registry, stage, approval.module)
      const ability = await parts.abilityOfMember(stage.tenant, stage.actor.id, plugin)
      const { comment } = request.body as WithdrawBody
      await withdrawApproval(parts.works, { ...stage, plugin, ability }, approval, comment)
      return viewNow(stage, approval.id)
    }),
  })
}
