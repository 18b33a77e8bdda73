// What the routes of webhooks have in common: who may, and which endpoint is meant.
import type { FastifyRequest } from 'fastify'
import { auditedBy } from '../audit/write-audit.ts'
import { errors } from '../errors.ts'
import type { Seal } from '../outside/seal.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { Located } from '../stages.ts'
import type { ControlTransaction, RunControl } from '../tenants/control-transaction.ts'
import { type Endpoint, readEndpoint } from '../webhooks/endpoints.ts'
import { ifMatch } from './etag.ts'

export interface WebhookRouteParts {
  readonly runControl: RunControl
  readonly seal: Seal
  readonly plainHosts: ReadonlySet<string>
  /** How often a delivery is tried. */
  readonly attempts: number
  /** Events that a module declares; undefined when there is no such module here. */
  eventsOf(module: string): readonly string[] | undefined
  /** There is something to do in the endpoint's lane. */
  wake(tenant: string, endpoint: string): void
}

export const webhooksUrl = '/v1/tenant/webhooks'

export const mayManageWebhooks = (stage: Located): void =>
  requireTenantPermission(stage, 'tenant.webhooks.manage')

const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id.toLowerCase()

/** Locked until the transaction ends, where something is changed. @throws RECORD_NOT_FOUND, VERSION_CONFLICT */
export async function foundWebhook(
  tx: ControlTransaction,
  { tenant }: Located,
  request: FastifyRequest,
): Promise<Endpoint> {
  const id = idOf(request)
  const endpoint = await readEndpoint(tx, tenant.id, id, { lock: request.method !== 'GET' })
  if (!endpoint) throw errors.recordNotFound({ entity: 'webhook', id })
  const { versions } = ifMatch(request)
  if (versions && !versions.includes(endpoint.version))
    throw errors.versionConflict({ entity: 'webhook', id, version: endpoint.version })
  return endpoint
}

export const webhookAudit = (stage: Located, id: string) => ({
  ...auditedBy(stage),
  tenantId: stage.tenant.id,
  entity: 'webhook',
  recordId: id,
})
