// The routes that a hunt walks: those of both tenants' documents, for each has a module that the other has not.
import type { Manifest } from '@plinth/sdk'
import type { Kernel } from '../../../kernel/src/kernel.ts'
import { type Route, routesOf } from './api-routes.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import { weightOf } from './weights.ts'

export type HuntedRoute = Route & {
  /** How often it is asked, from 0 to 1. */
  readonly weight: number
  /** A report in SQL names no tenant: only the policies stand between it and the rows of others. */
  readonly reliesOnPolicies: boolean
}

/** SQL of a plugin may run in its routes, in its actions, and where an entity has hooks. */
function mayRunSql({ method, module, path }: Route, manifests: readonly Manifest[]): boolean {
  const manifest = manifests.find(({ name }) => name === module)
  if (manifest?.needs.sql === undefined) return false
  const entity = Object.entries(manifest.entities).find(([, one]) => path.split('/')[3] === one.path)
  if (!entity) return true
  const isAction = method === 'POST' && path.endsWith('}') === false && path.includes('}')
  return isAction || (method !== 'GET' && (manifest.hooks[entity[0]] ?? []).length > 0)
}

/** Its answer has no end to wait for; it is attacked in hooks.test.ts. */
const endless = '/v1/events'

export async function huntedRoutes(kernel: Kernel, scene: Scene): Promise<HuntedRoute[]> {
  const manifests = scene.manifestsOf(kernel)
  const modules = new Set(manifests.map(({ name }) => name))
  const found = new Map<string, HuntedRoute>()
  for (const side of scene.sides) {
    const headers = { authorization: `Bearer ${side.standing('owner').token}`, 'x-tenant-id': side.slug }
    const reply = await kernel.inject({ method: 'GET', url: '/openapi.json', headers })
    for (const route of routesOf(reply.json(), modules).filter(({ path }) => path !== endless))
      found.set(route.key, {
        ...route,
        weight: weightOf(route),
        reliesOnPolicies: mayRunSql(route, manifests),
      })
  }
  return [...found.values()]
}

export function chooseRoute(routes: readonly HuntedRoute[], random: Random): Route {
  for (;;) {
    const route = random.pick(routes)
    if (route && random.chance(route.weight)) return route
  }
}
