// /v1/marketplace: what there is and what it costs. /v1/tenant/modules: what this tenant has switched on.
import type { PriceBook } from '../entitlements/plans.ts'
import { disableModule, enableModule, requiredModules } from '../entitlements/switch-module.ts'
import { errors } from '../errors.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Located } from '../stages.ts'
import type { RunControl } from '../tenants/control-transaction.ts'
import type { Instance } from './create-instance.ts'
import { atRung, type Ladder } from './ladder.ts'
import {
  catalogueShape,
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
        asks: {
          http: [...(plugin.manifest.needs.http ?? [])],
          ...(plugin.manifest.needs.sql ? { sql: plugin.manifest.needs.sql } : {}),
        },
        available: true,
      }
    : { requires: [], asks: { http: [] }, available: false, note: 'not available here' }

/** Owners and admins decide what the tenant pays for. */
function mayManageModules(stage: Located): void {
  if (stage.role === 'member') throw errors.forbidden({ permission: 'tenant.modules.manage' })
}

export function moduleRoutes(
  app: Instance,
  ladder: Ladder,
  parts: {
    readonly plugins: ReadonlyMap<string, LoadedPlugin>
    readonly priceBook: PriceBook
    readonly runControl: RunControl
  },
): void {
  const { plugins, priceBook, runControl } = parts
  const tags = ['Marketplace']

  const enabledView = (module: string) => {
    const plugin = plugins.get(module)
    return {
      module,
      title: plugin?.manifest.title ?? module,
      ...(plugin ? { version: plugin.version } : {}),
      available: plugin !== undefined,
    }
  }

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
    ...atRung(ladder.located, async ({ tenant }) => ({ items: [...tenant.modules].sort().map(enabledView) })),
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
      const { module } = request.body as ModuleBody
      await enableModule(runControl, plugins, stage, module)
      return reply.code(201).header('location', '/v1/tenant/modules').send(enabledView(module))
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
