// GET /v1/tenant/access/explain: why somebody may or may not do something, for those who look after it.
import type { TenantConnections } from '../data/tenant-connections.ts'
import { errors, isPlinthError } from '../errors.ts'
import { type RoleRow, roleFromRow, selectRole } from '../permissions/change-roles.ts'
import type { Decisions, Question } from '../permissions/decision.ts'
import type { DutyGuard } from '../permissions/duty-guard.ts'
import { explain, type Facts } from '../permissions/explain.ts'
import { explainGrant } from '../permissions/explain-grant.ts'
import type { GrantDirectory } from '../permissions/grant-directory.ts'
import type { ModulesOf } from '../permissions/tenant-modules.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located, Tenant } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import { stateRules } from '../tenants/tenant-states.ts'
import { type ExplainQuery, explainQuery, explanationShape } from './access-schemas.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses, tenantHeader } from './schemas.ts'

export interface ExplainParts {
  readonly runControl: RunControl
  readonly directory: TenantDirectory
  readonly grantsOf: GrantDirectory['grantsOf']
  readonly modulesOf: ModulesOf
  readonly pluginFor: (tenant: Tenant, module: string) => LoadedPlugin
  readonly connections: TenantConnections
  readonly duties: DutyGuard
  readonly decisions: Decisions
}

function questionOf({ decisions }: ExplainParts, { tenant }: Located, query: ExplainQuery): Question {
  if (query.decision !== undefined) {
    const question = decisions.read(tenant.id, query.decision)
    if (!question) throw errors.decisionUnknown({})
    return question
  }
  const { user, action, record, field } = query
  if (user === undefined || action === undefined) {
    const missing = user === undefined ? 'user' : 'action'
    const message = 'is required, unless decision is given'
    throw errors.validation({ errors: [{ field: missing, code: 'REQUIRED', message }] })
  }
  return { user, action, ...(record ? { record } : {}), ...(field ? { field } : {}) }
}

async function factsOf(parts: ExplainParts, { tenant }: Located, question: Question): Promise<Facts> {
  const { user, action, record: id } = question
  const manifests = parts.modulesOf(tenant)
  const role = await parts.directory.roleOf(tenant.id, user)
  const grants = role && (await parts.grantsOf(tenant.id, user, role))
  const rows = await parts.runControl((tx) => tx.query<RoleRow>(selectRole, [tenant.id]))
  const [module = '', entity = '', verb = ''] = action.split('.')
  const manifest = manifests.find(({ name }) => name === module)
  const store =
    manifest && Object.hasOwn(manifest.entities, entity)
      ? parts.pluginFor(tenant, module).stores[entity]
      : undefined
  const record = id && store ? await store.get(parts.connections.reader(tenant.id), id) : undefined
  if (id !== undefined && !record) throw errors.recordNotFound({ entity: `${module}.${entity}`, id })
  const people = [user]
  const act = record && { tenant: tenant.id, module, entity, verb, record, people }
  const duty = act && (await dutyOf(parts.duties, act))
  return {
    question,
    state: { name: tenant.state, ...stateRules[tenant.state] },
    manifests,
    roles: rows.map(roleFromRow),
    ...(grants ? { grants } : {}),
    ...(record ? { record } : {}),
    ...(duty ? { duty } : {}),
  }
}

async function dutyOf(duties: DutyGuard, act: Parameters<DutyGuard['refuse']>[0]): Promise<Facts['duty']> {
  try {
    await duties.refuse(act)
    return undefined
  } catch (error) {
    if (!isPlinthError(error) || error.code !== errors.dutyConflict.code) throw error
    const { duty, first, second } = error.data
    return { id: '', title: String(duty), first: String(first), second: String(second), within: 'record' }
  }
}

export function explainRoutes(app: Instance, ladder: Ladder, parts: ExplainParts): void {
  app.route({
    method: 'GET',
    url: '/v1/tenant/access/explain',
    schema: {
      tags: ['Roles'],
      summary: 'Which layer decides, by which rule, and the smallest change that would allow it',
      headers: tenantHeader,
      querystring: explainQuery,
      response: { 200: explanationShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      requireTenantPermission(stage, 'tenant.access.explain')
      const question = questionOf(parts, stage, request.query as ExplainQuery)
      const grant = explainGrant(stage.tenant, parts.modulesOf(stage.tenant), question)
      return grant ?? explain(await factsOf(parts, stage, question))
    }),
  })
}
