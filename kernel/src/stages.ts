// The ladder's types: what is known of a request after each rung. A stage is made only by its rung,
// so a handler that asks for `Permitted` cannot be reached by a request that skipped one.
import type { Json } from '@plinth/sdk'
import type { Ability } from './permissions/build-ability.ts'
import type { Grants } from './permissions/grants.ts'
import type { LoadedPlugin } from './registry/load-plugin.ts'

/** `pinned` is one exact version; without it the tenant follows its channel. */
export interface ModuleChoice {
  readonly channel: 'stable' | 'beta'
  readonly pinned?: string
}

export interface Tenant {
  readonly id: string
  readonly slug: string
  readonly name: string
  /** ISO 4217: the currency that `ctx.tenant.currency` shows to plugins. */
  readonly currency: string
  readonly plan: string
  /** What it may do; see tenants/tenant-states.ts. */
  readonly state: TenantState
  /** Why it is in this state, as whoever put it there said. */
  readonly reason?: string
  /** When a tenant that is closing is erased; ISO 8601. */
  readonly eraseAfter?: string
  /** BCP 47, for texts and formats. */
  readonly locale: string
  /** IANA, for what a day is. */
  readonly timeZone: string
  /** ISO 3166-1, of the first company. */
  readonly country?: string
  /** Name of the first company. */
  readonly company?: string
  /** Grows with each change of the tenant itself. */
  readonly version: number
  readonly createdAt: string
  /** Modules that the tenant has switched on, and which version of each it is to get. */
  readonly modules: ReadonlyMap<string, ModuleChoice>
  /** What the tenant has set in its modules, by module; defaults are the plugin's. */
  readonly settings: ReadonlyMap<string, Readonly<Record<string, Json>>>
  /** What it lets its modules reach outside, by module. */
  readonly consents: ReadonlyMap<string, Consent>
  /** What its plan and the operator say of it; absent where they say nothing. */
  readonly rates?: TenantRates
}

/** Requests in a minute: of the whole tenant, of one of its people in it, of one of its keys. 0: any number. */
export interface TenantRates {
  readonly tenant?: number
  readonly user?: number
  readonly key?: number
}

export interface Consent {
  /** Hosts, as the manifest's `needs.http` writes them. */
  readonly http: readonly string[]
  readonly changedAt: string
  readonly changedBy: string
}

export type TenantState =
  | 'active'
  | 'trialing'
  | 'past_due'
  | 'read_only'
  | 'suspended'
  | 'closing'
  | 'closed'

/** Role of a person in one tenant. */
export type MembershipRole = 'owner' | 'admin' | 'member'

export interface Actor {
  readonly id: string
  readonly name: string
  readonly email: string
  /** What ends it ends the credential: the id of a session, or `key:` and the id of a key. */
  readonly session: string
  /** A program's account in one tenant. */
  readonly isService?: true
}

/** The request is parsed. Nothing is known of who sent it. */
export interface Arrival {
  readonly requestId: string
  readonly address: string
  /** What the client says it is. */
  readonly agent?: string
  /** Our step in the W3C trace that the request is part of. */
  readonly traceparent?: string
}

/** The caller is the operator of the installation. */
export interface Operated extends Arrival {
  readonly operator: string
}

/** The caller is signed in. */
export interface Identified extends Arrival {
  readonly actor: Actor
  /** The credential that was presented, for sign-out. */
  readonly token: string
  /** What it is: of a session, a short-lived token of one, or an API key. */
  readonly credential: 'session' | 'access' | 'key'
  /** Id of the only tenant that the credential reaches. */
  readonly tenantClaim?: string
  /** Id of the tenant whose identity provider vouched for the person. */
  readonly vouchedBy?: string
  /** Permissions that the credential is cut to; absent: all that its holder has. */
  readonly scopes?: readonly string[]
  /** Id of the person whose right the actor uses, where it is not his own. */
  readonly onBehalfOf?: string
}

/** The caller is a member of the tenant that the request names. */
export interface Placed extends Identified {
  readonly tenant: Tenant
  readonly role: MembershipRole
}

/** And it is known what he was given there. */
export interface Located extends Placed {
  readonly grants: Grants
}

/** The tenant has the module switched on. `plugin` is the version that serves this tenant. */
export interface Entitled extends Located {
  readonly plugin: LoadedPlugin
}

/** The caller holds the permission; `ability` says for which records. */
export interface Permitted extends Entitled {
  readonly ability: Ability
}
