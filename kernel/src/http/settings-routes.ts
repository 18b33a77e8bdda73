// /v1/tenant/settings/{module}: what the tenant has set in a module it has enabled.

import type { Values } from '../data/field-kinds/parse-fields.ts'
import { enabledPlugin } from '../entitlements/check-entitlement.ts'
import { changeSettings, settingsOf } from '../entitlements/module-settings.ts'
import { checkSettingReferences, type ReferenceParts } from '../entitlements/setting-references.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { Instance } from './create-instance.ts'
import { ifShown, sendShown } from './etag.ts'
import { atRung, type Ladder } from './ladder.ts'
import { problemResponses, tenantHeader } from './schemas.ts'

const settingsShape = { type: 'object', additionalProperties: true }

export function settingsRoutes(
  app: Instance,
  ladder: Ladder,
  parts: ReferenceParts & { readonly runControl: RunControl },
): void {
  const { registry, runControl } = parts

  const pluginFor = (stage: Located, params: unknown): LoadedPlugin => {
    const { module } = params as { module: string }
    return enabledPlugin(registry, stage, module)
  }
  const common = {
    tags: ['Settings'],
    headers: tenantHeader,
    params: { type: 'object', required: ['module'], properties: { module: { type: 'string' } } },
    response: { 200: settingsShape, ...problemResponses },
  }

  app.route({
    method: 'GET',
    url: '/v1/tenant/settings/:module',
    schema: { ...common, summary: 'Settings of a module, with the defaults' },
    ...atRung(ladder.reading('tenant.settings.read'), async (stage, request, reply) =>
      sendShown(request, reply, settingsOf(stage.tenant, pluginFor(stage, request.params).manifest)),
    ),
  })
  app.route({
    method: 'PATCH',
    url: '/v1/tenant/settings/:module',
    schema: {
      ...common,
      summary: 'Change settings of a module; null goes back to the default',
      body: settingsShape,
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      requireTenantPermission(stage, 'tenant.settings.update')
      const plugin = pluginFor(stage, request.params)
      const expect = ifShown(request, 'settings', plugin.manifest.name)
      const check = (values: Values) => checkSettingReferences(parts, stage, plugin, values)
      const settings = await changeSettings(runControl, plugin, stage, request.body, check, expect)
      return sendShown(request, reply, settings)
    }),
  })
}
