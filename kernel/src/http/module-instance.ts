// The Fastify instance of one loaded plugin version: its entities, actions and routes behind the kernel's ladder.
import { actionRoute } from './action-routes.ts'
import { createInstance, type Instance, type InstanceOptions } from './create-instance.ts'
import { entityRoutes } from './entity-routes.ts'
import { historyRoute } from './history-route.ts'
import type { ModuleParts } from './module-parts.ts'
import { pluginRoute } from './plugin-route.ts'

export async function createModuleInstance(parts: ModuleParts, options: InstanceOptions): Promise<Instance> {
  const { manifest } = parts.plugin
  return createInstance(options, (app) => {
    // Bodies are parsed against the manifest's fields, which name each wrong one; a plugin's schema never runs here.
    app.setValidatorCompiler(() => () => true)
    if (options.debugErrors) {
      app.addHook('onSend', async (request, reply) => {
        const used = request.stage && parts.spentBy(request.stage)
        if (used) void reply.header('x-plinth-limits', used)
      })
    }
    // The schemas of answers describe; they do not reshape what the store or the plugin gave.
    app.setSerializerCompiler(() => JSON.stringify)
    for (const [entity, spec] of Object.entries(manifest.entities)) {
      entityRoutes(app, parts, entity, spec)
      historyRoute(app, parts, entity, spec)
      for (const [action, actionSpec] of Object.entries(manifest.actions[entity] ?? {})) {
        actionRoute(app, parts, entity, spec, action, actionSpec)
      }
    }
    for (const [name, spec] of Object.entries(manifest.routes)) pluginRoute(app, parts, name, spec)
  })
}
