// /v1/marketplace: what there is and what it costs. /v1/tenant/modules: what this tenant has switched on.

import { enabledPlugin } from '../entitlements/check-entitlement.ts'
import { asksOf, changeConsent, consentView } from '../entitlements/consent.ts'
import type { PriceBook } from '../entitlements/plans.ts'
import { disableModule, enableModule, requiredModules } from '../entitlements/switch-module.ts'
import { requireTenantPermission } from '../permissions/tenant-permissions.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { PluginRegistry } from '../registry/plugin-registry.ts'
import type { Located, Tenant } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { TenantDirectory } from '../tenants/tenant-directory.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  type ConsentBody,
  catalogueShape,
  consentBody,
  enabledModuleShape,
  listOf,
  type ModuleBody,
  moduleBody,
  planShape,
  problemResponses,
  tenantHeader,
} from './schemas.ts'

/** Plugins beside the price book: sold and installed, sold and not installed here, installed and free. */
function catalogue(book: PriceBook, plugins: ReadonlyMap<string, LoadedPlugin>) {
  const sold = book.modules.map((entry) => {
    const plugin = entry.module === undefined ? undefined : plugins.get(entry.module)
    return {
      id: entry.module ?? entry.code,
      code: entry.code,
      title: plugin?.manifest.title ?? entry.title,
      price: entry.price,
      ...describe(plugin),
    }
  })
  const free = [...plugins.values()].filter((p) => !sold.some((entry) => entry.id === p.manifest.name))
  return [
    ...sold,
    ...free.map((p) => ({ id: p.manifest.name, title: p.manifest.title, ...describe(p) })),
  ].sort((a, b) => a.id.localeCompare(b.id))
}

const describe = (plugin: LoadedPlugin | undefined) =>
  plugin
    ? {
        version: plugin.version,
        requires: requiredModules(plugin),
        asks: asksOf(plugin.manifest),
        available: true,
      }
    : { requires: [], asks: { http: [] }, available: false, note: 'not available here' }

/** Owners and admins decide what the tenant pays for. */
function mayManageModules(stage: Located): void {
  requireTenantPermission(stage, 'tenant.modules.manage')
}

export function moduleRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly registry: Pick<PluginRegistry, 'plugins' | 'served' | 'pluginFor'>
    readonly priceBook: PriceBook
    readonly directory: TenantDirectory
    readonly runControl: RunControl
    readonly eventAttempts: number
  },
): void {
  const { registry, priceBook, directory, runControl, eventAttempts } = parts
  const { plugins } = registry
  const tags = ['Marketplace']

  const enabledView = (tenant: Tenant, module: string) => {
    const plugin = registry.served(module)?.pluginFor(tenant)
    const consent = consentView(tenant, module, plugin)
    return {
      module,
      title: plugin?.manifest.title ?? module,
      ...(plugin ? { version: plugin.version } : {}),
      available: plugin !== undefined,
      ...(consent ? { consent } : {}),
    }
  }
  /** As it is after a change. */
  const viewNow = async (stage: Located, module: string) =>
    enabledView((await directory.find(stage.tenant.id)) ?? stage.tenant, module)

  app.route({
    method: 'GET',
    url: '/v1/marketplace/modules',
    schema: {
      tags,
      summary: 'Every module: installed here, or in the price book',
      security: [],
      response: { 200: listOf(catalogueShape), ...problemResponses },
    },
    ...atRung(ladder.arrived, async () => ({ items: catalogue(priceBook, plugins) })),
  })
  app.route({
    method: 'GET',
    url: '/v1/marketplace/plans',
    schema: {
      tags,
      summary: 'The plans and what they include',
      security: [],
      response: { 200: listOf(planShape), ...problemResponses },
    },
    ...atRung(ladder.arrived, async () => ({
      items: priceBook.plans.map(({ code, includes, limits: _, ...plan }) => ({
        id: code,
        ...plan,
        includes: includes.map(
          (included) => priceBook.modules.find((m) => m.code === included)?.module ?? included,
        ),
      })),
    })),
  })
  app.route({
    method: 'GET',
    url: '/v1/tenant/modules',
    schema: {
      tags,
      summary: 'The modules this tenant has enabled',
      headers: tenantHeader,
      response: { 200: listOf(enabledModuleShape), ...problemResponses },
    },
    ...atRung(ladder.located, async ({ tenant }) => ({
      items: [...tenant.modules.keys()].sort().map((module) => enabledView(tenant, module)),
    })),
  })
  app.route({
    method: 'POST',
    url: '/v1/tenant/modules',
    schema: {
      tags,
      summary: 'Enable a module',
      headers: tenantHeader,
      body: moduleBody,
      response: { 201: enabledModuleShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayManageModules(stage)
      const { module, consent } = request.body as ModuleBody
      await enableModule(runControl, plugins, stage, module, consent, eventAttempts)
      return reply
        .code(201)
        .header('location', '/v1/tenant/modules')
        .send(await viewNow(stage, module))
    }),
  })
  app.route({
    method: 'PUT',
    url: '/v1/tenant/modules/:module/consent',
    schema: {
      tags,
      summary: 'Say which outside hosts a module may reach; what is left out is withdrawn',
      headers: tenantHeader,
      body: consentBody,
      response: { 200: enabledModuleShape, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request) => {
      mayManageModules(stage)
      const { module } = request.params as { module: string }
      const plugin = enabledPlugin(registry, stage, module)
      await changeConsent(runControl, plugin, stage, request.body as ConsentBody)
      return viewNow(stage, module)
    }),
  })
  app.route({
    method: 'DELETE',
    url: '/v1/tenant/modules/:module',
    schema: {
      tags,
      summary: 'Disable a module; its data is kept',
      headers: tenantHeader,
      response: { 204: { description: 'Disabled.', type: 'null' }, ...problemResponses },
    },
    ...atRung(ladder.located, async (stage, request, reply) => {
      mayManageModules(stage)
      await disableModule(runControl, plugins, stage, (request.params as { module: string }).module)
      return reply.code(204).send()
    }),
  })
}
