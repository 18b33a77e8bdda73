// /v1/tenant/secrets/{module}: what the tenant entrusts to a module. Values go in and never come out.

import { enabledPlugin } from '../entitlements/check-entitlement.ts'
import type { ModuleSecrets } from '../outside/module-secrets.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Located } from '../stages.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  listOf,
  problemResponses,
  type SecretBody,
  secretBody,
  secretShape,
  tenantHeader,
} from './schemas.ts'

export function secretRoutes(
  app: Instance,
  ladder: Ladder,
  parts: { readonly registry: Pick<PluginRegistry, 'served' | 'pluginFor'>; readonly secrets: ModuleSecrets },
): void {
  const { registry, secrets } = parts
  const url = '/v1/tenant/secrets/:module'
  const common = { tags: ['Secrets'], headers: tenantHeader }
  const done = { 204: { description: 'Done.', type: 'null' }, ...problemResponses }

  /** Owners and admins, of a tenant that has the module. */
  const pluginFor = (stage: Located, module: string): LoadedPlugin => {
    requireTenantPermission(stage, 'tenant.secrets.manage')
    return enabledPlugin(registry, stage, module)
  }

  app.route({
    method: 'GET',
    url,
    schema: {
      ...common,
      summary: 'Secrets that a module asks for, and which are set; never their values',
      response: { 200: listOf(secretShape), ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      const { manifest } = pluginFor(stage, (request.params as { module: string }).module)
      return { items: await secrets.list(stage.tenant.id, manifest) }
    }),
  })
  app.route({
    method: 'PUT',
    url: `${url}/:name`,
    schema: { ...common, summary: 'Set a secret of a module', body: secretBody, response: done },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const { module, name } = request.params as { module: string; name: string }
      const { manifest } = pluginFor(stage, module)
      await secrets.set(stage, manifest, name, (request.body as SecretBody).value)
      return reply.code(204).send()
    }),
  })
  app.route({
    method: 'DELETE',
    url: `${url}/:name`,
    schema: { ...common, summary: 'Remove a secret of a module', response: done },
    ...atRung(ladder.located, async (stage, request, reply) => {
      const { module, name } = request.params as { module: string; name: string }
      pluginFor(stage, module)
      await secrets.remove(stage, module, name)
      return reply.code(204).send()
    }),
  })
}
