// The path of a request, rung by rung. A route says how far its caller must climb; its handler is given what was
// found there, typed, so that a handler cannot be reached past a rung it needs.
import type { FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify'
import { allStand, type DefencesOff } from '../defences.ts'
import { checkEntitlement } from '../entitlements/check-entitlement.ts'
import { errors, isPlinthError } from '../errors.ts'
import type { Authenticate } from '../identity/authenticate.ts'
import type { RecogniseOperator } from '../identity/operator.ts'
import type { Ability } from '../permissions/build-ability.ts'
import type { GrantDirectory } from '../permissions/grant-directory.ts'
import type { Permission } from '../permissions/permission-catalogue.ts'
import { isInScopes, mayRead, type ReadScope, touchesArea } from '../permissions/scopes.ts'
import type { LoadedPlugin } from '../registry/load-plugin.ts'
import type { Arrival, Identified, Located, Operated, Permitted, Tenant } from '../stages.ts'
import { type LocateParts, locateTenant } from '../tenants/locate-tenant.ts'
import type { RequestHead } from '../tenants/request-head.ts'
import type { CheckSso } from '../tenants/sso/policy.ts'
import { checkEntry, checkState } from '../tenants/tenant-states.ts'

export type Rung<Stage> = (request: FastifyRequest) => Stage | Promise<Stage>

/** Fastify's `onRequest` climbs, before a body is read; `handler` receives the stage that was reached. */
export interface AtRung {
  readonly onRequest: preHandlerHookHandler
  readonly handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
}

export interface Ladder {
  readonly arrived: Rung<Arrival>
  readonly operated: Rung<Operated>
  /** Whoever shows a credential that is good, be it a key or a token for a part of somebody's rights. */
  readonly presented: Rung<Identified>
  /** A person with all that is his: what belongs to his account and to no tenant is open to him alone. */
  readonly identified: Rung<Identified>
  /** In a tenant whose state allows what the method asks. */
  readonly located: Rung<Located>
  /** The same for what is of the tenant and of its modules: which part a credential reaches is looked at for each. */
  readonly entered: Rung<Located>
  /** The same, for what every member may read: `scope` is asked of a credential that is cut. */
  reading(scope: ReadScope): Rung<Located>
  /** In a tenant whatever its state, as far as anybody may enter it: for what is said and done about the state itself. */
  readonly anyState: Rung<Located>
  /** Whose request it is, before anything else of it is known; undefined when it will be refused on the way. */
  tenantOf(head: RequestHead): Promise<Tenant | undefined>
  permitted(plugin: LoadedPlugin, permission: Permission): Rung<Permitted>
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The stage reached; read it through the handler's first argument. */
    stage: object | null
    /** Whose request it turned out to be, also when it was refused on a later rung. */
    asker: { readonly tenant: string; readonly user: string } | null
    /** Our step in the W3C trace that the request is part of. */
    traceparent: string
  }
}

/** Options of a route whose caller must reach `rung`. Who `entersPlugin` waits for a place there, and not here too. */
export function atRung<Stage extends object>(
  rung: Rung<Stage>,
  handle: (stage: Stage, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  { entersPlugin = false } = {},
): AtRung {
  return {
    onRequest: async (request) => {
      request.stage = await rung(request)
      request.server.hygiene?.rates.byCaller(request.stage, request)
    },
    handler: async (request, reply) => {
      if (!request.stage) throw errors.internal({}, new Error('the handler ran before its rung'))
      // `onRequest` above is the only writer, with this route's own rung.
      const stage = request.stage as Stage & Partial<Located>
      const { hygiene } = request.server
      const work = () => handle(stage, request, reply)
      if (!hygiene) return work()
      const { tenant } = stage
      if (tenant) hygiene.turns.saw(tenant.id)
      const inTurn = !tenant || entersPlugin ? work : () => hygiene.turns.run(tenant.id, work)
      // Outside the turns: who waits for the answer to what he sent before takes no place.
      return hygiene.idempotency.run(stage, request, reply, inTurn)
    },
  }
}

const headOf = ({ method, raw, headers }: FastifyRequest): RequestHead => ({
  method,
  url: raw.url ?? '/',
  headers,
  peer: raw.socket.remoteAddress,
})

const longestAgent = 200

/** Whatever a client sends: cut short, and nothing in it but characters that can be printed. */
const agentOf = (header = ''): string => header.replace(/[^\x20-\x7e]/g, '?').slice(0, longestAgent)

export function createLadder(
  parts: LocateParts & {
    readonly authenticate: Authenticate
    readonly recogniseOperator: RecogniseOperator
    readonly grantsOf: GrantDirectory['grantsOf']
    readonly checkSso: CheckSso
    readonly abilityOf: (located: Located, plugin: LoadedPlugin) => Ability
  },
  off: DefencesOff = allStand,
): Ladder {
  const { authenticate, grantsOf, abilityOf, recogniseOperator, checkSso } = parts

  const presented = (request: FastifyRequest) => authenticate(arrived(request), request.headers.authorization)
  const arrived = (request: FastifyRequest): Arrival => ({
    requestId: request.id,
    address: request.ip,
    agent: agentOf(request.headers['user-agent']),
    traceparent: request.traceparent,
  })

  async function identified(request: FastifyRequest): Promise<Identified> {
    const who = await presented(request)
    const isWhole = who.credential !== 'key' && who.tenantClaim === undefined && who.scopes === undefined
    if (!isWhole && !off.has('keyScopes')) throw errors.personRequired({})
    return who
  }

  async function found(request: FastifyRequest): Promise<Located> {
    const placed = await locateTenant(parts, await presented(request), headOf(request), off)
    // It has said its part: routes refuse parameters that they do not know.
    const { query } = request
    if (query && typeof query === 'object' && 'tenant' in query) Reflect.deleteProperty(query, 'tenant')
    await checkSso(placed)
    request.asker = { tenant: placed.tenant.id, user: placed.actor.id }
    return { ...placed, grants: await grantsOf(placed.tenant.id, placed.actor.id, placed.role) }
  }

  const inTenant = async (request: FastifyRequest): Promise<Located> =>
    checkState(await found(request), request.method, off)

  /** For routes of the tenant itself: a credential that is cut to modules has no business there. */
  function inArea(stage: Located): Located {
    if (!touchesArea(stage.scopes, 'tenant') && !off.has('keyScopes'))
      throw errors.scopeRequired({ permission: 'tenant.*' })
    return stage
  }

  return {
    arrived,
    operated: (request) => recogniseOperator(arrived(request), request.headers.authorization),
    presented,
    identified,
    located: async (request) => inArea(await inTenant(request)),
    entered: inTenant,
    reading: (scope) => async (request) => {
      const stage = await inTenant(request)
      if (!mayRead(stage.scopes, scope) && !off.has('keyScopes'))
        throw errors.scopeRequired({ permission: scope })
      return stage
    },
    anyState: async (request) => inArea(checkEntry(await found(request), off)),
    async tenantOf(head) {
      const nobody: Arrival = { requestId: '', address: '' }
      try {
        const who = await authenticate(nobody, head.headers.authorization)
        return (await locateTenant(parts, who, head, off)).tenant
      } catch (error) {
        if (isPlinthError(error)) return undefined
        throw error
      }
    },
    permitted: (plugin, permission) => async (request) => {
      const stage = checkEntitlement(await inTenant(request), plugin, off)
      const ability = abilityOf(stage, plugin)
      if (!ability.can(permission.verb, permission.subject)) {
        const name = `${plugin.manifest.name}.${permission.name}`
        throw isInScopes(stage.scopes, name)
          ? errors.forbidden({ permission: name })
          : errors.scopeRequired({ permission: name })
      }
      return { ...stage, ability }
    },
  }
}
