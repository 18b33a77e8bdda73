// Who may do what, said once more and apart from the kernel: an answer that lets somebody in who is not listed here is a
// finding.
import type { Manifest } from '@plinth/sdk'
import type { Call } from './call.ts'
import type { Answer, Rules } from './referee.ts'
import type { Side } from './side.ts'

/** Below /v1/tenant a member reads, and does this. */
const memberMay = new Set([
  'DELETE /v1/tenant/members/{userId}',
  'POST /v1/tenant/delegations',
  'DELETE /v1/tenant/delegations/{id}',
  'POST /v1/tenant/absences',
  'DELETE /v1/tenant/absences/{id}',
  'POST /v1/tenant/approvals/{id}/decision',
  'POST /v1/tenant/approvals/{id}/withdraw',
])

const genericVerbs: Readonly<Record<string, string>> = {
  GET: 'read',
  POST: 'create',
  PATCH: 'update',
  DELETE: 'delete',
}

/** `POST /v1/prey/trails` -> `trail.create`. */
export function permissionsByRoute(manifest: Manifest): ReadonlyMap<string, string> {
  const root = `/v1/${manifest.name}`
  const permissions = new Map<string, string>()
  for (const [entity, { path }] of Object.entries(manifest.entities)) {
    for (const [method, verb] of Object.entries(genericVerbs)) {
      if (method !== 'POST') permissions.set(`${method} ${root}/${path}/{id}`, `${entity}.${verb}`)
      if (method === 'GET' || method === 'POST')
        permissions.set(`${method} ${root}/${path}`, `${entity}.${verb}`)
    }
    for (const action of Object.keys(manifest.actions[entity] ?? {})) {
      const words = action.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
      permissions.set(`POST ${root}/${path}/{id}/${words}`, `${entity}.${action}`)
    }
  }
  for (const [name, { method, path }] of Object.entries(manifest.routes))
    permissions.set(`${method} ${root}${path}`, `route.${name}`)
  return permissions
}

interface Member {
  readonly may: ReadonlySet<string>
  readonly ownAlone: ReadonlySet<string>
}

function memberOf(manifest: Manifest): Member {
  const can = manifest.roles['member']?.can ?? []
  return {
    may: new Set(can.map((rule) => (typeof rule === 'string' ? rule : rule.permission))),
    ownAlone: new Set(can.flatMap((rule) => (typeof rule === 'string' ? [] : [rule.permission]))),
  }
}

const creatorIn = (text: string): unknown => {
  try {
    return (JSON.parse(text) as { createdBy?: unknown } | null)?.createdBy
  } catch {
    return undefined
  }
}

/**
 * Reading trails; what every member reads of the tenant itself, for a key that reaches there at all; and lending what is
 * within the scopes, which the kernel cuts a loan to.
 */
const withinNarrow = /^GET \/v1\/(prey\/trails|tenant|me\/default-tenant)|^POST \/v1\/tenant\/delegations$/

/** Asked by anybody, with whatever credential; the list of tenants has no more than the credential's own. */
const isOpen = ({ path }: Call['route']): boolean =>
  /^\/(health|metrics|openapi|\.well-known|scim\/v2\/(ServiceProviderConfig|ResourceTypes|Schemas)$|v1\/(marketplace|auth|tenants$))/.test(
    path,
  )

export function whoMay(
  manifests: readonly Manifest[],
  modulesOf: (side: Side) => ReadonlySet<string>,
): Rules {
  const modules = new Map(
    manifests.map((manifest) => [
      manifest.name,
      { permissions: permissionsByRoute(manifest), member: memberOf(manifest) },
    ]),
  )

  function inModule(module: string, { route, person }: Call, { text }: Answer): string | undefined {
    const known = modules.get(module)
    const permission = known?.permissions.get(route.key)
    if (!known || permission === undefined) return undefined
    const everyOf = `${permission.split('.')[0]}.*`
    if (![permission, everyOf, '*'].some((name) => known.member.may.has(name)))
      return `let a member do ${module}.${permission}`
    const creator = known.member.ownAlone.has(permission) ? creatorIn(text) : undefined
    if (creator !== undefined && creator !== person.id)
      return `let a member do ${permission} with what another had made`
    return undefined
  }

  return {
    mayNot(call, answer, hunter) {
      const { route, person } = call
      if (route.path.startsWith('/v1/operator')) return 'let somebody of a tenant be the operator'
      if (route.module !== undefined && !modulesOf(hunter).has(route.module))
        return `served '${route.module}', which the tenant has not got`
      if (person.standing === 'narrow')
        return isOpen(route) || withinNarrow.test(route.key) ? undefined : 'let a key beyond its scopes'
      if (person.standing !== 'member') return undefined
      if (route.module !== undefined) return inModule(route.module, call, answer)
      const isChange = route.method !== 'GET' && route.path.startsWith('/v1/tenant/')
      return isChange && !memberMay.has(route.key) ? 'let a member change the tenant' : undefined
    },
  }
}
