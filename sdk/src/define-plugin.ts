// The shape an author writes, typed so that all of it infers and mistakes do not compile.
// `actions`, `routes`, `services` and `jobs` are each one mapped type over their own inputs, with no conditional type in the
// mapping (that turned `ctx` into `any`) and an `unknown` bound on inputs (a tight one lost the record's id brand).

import type { Context, Granted, Needs } from './capabilities/context.ts'
import type { EntityHooks } from './capabilities/entities.ts'
import type { JobCapability } from './capabilities/jobs.ts'
import type { Plugin } from './declaration.ts'
import type { Changes, Entity, Row, StateOf } from './entity.ts'
import type { Created } from './errors.ts'
import type { Fields, Out } from './fields/field.ts'
import type { Contract, ForeignEvents, Use } from './use.ts'

/** What is not declared is nothing, rather than anything: without it `ctx.uses.oms` would compile in a plugin that uses nobody. */
type None = Record<never, never>
type Answer<T> = T | Promise<T>
type FieldIn<E> = E extends Entity<infer F> ? keyof F & string : never
type StateIn<E> = E extends Entity<infer F> ? StateOf<F> : never

/**
 * A route on a record: `POST /v1/<plugin>/<entities>/<id>/<action>`. The kernel loads and locks the record, checks the
 * permission `<entity>.<action>` and the transition, calls `run`, and stores what it returns.
 */
export interface Action<Ctx, E, K extends string, I> {
  readonly title?: string
  /**
   * People of the tenant may have to agree before it runs: where the tenant has a chain for it, the request is answered 202
   * with an approval, and the action runs in the transaction of the last one. `rejected` names an action that runs
   * instead when somebody says no.
   */
  readonly approval?: {
    /** The money field by which the tenant chooses who must agree. */
    readonly amount?: FieldIn<E>
    /** The field with the id of an `organisation.unit` by which he does. */
    readonly unit?: FieldIn<E>
    /** Without a chain the action is refused, instead of run. */
    readonly required?: true
    readonly rejected?: string
  }
  /** The state the record enters. `{ to: 'void' }` alone is a complete action. */
  readonly to?: StateIn<E>
  readonly input?: I & Fields
  /** Returns the changes to store, nothing, or `created(record)` to answer with another record. */
  // biome-ignore lint/suspicious/noConfusingVoidType: an async handler without a return is Promise<void>, not Promise<undefined>
  run?(ctx: Ctx, record: Row<E, K>, input: Out<I>): Answer<Changes<E> | Created | void>
}

/** A route on no record, under `/v1/<plugin>`, with the permission `route.<name>`. GET takes `query`, POST `input`. */
export interface Route<Ctx, I> {
  readonly title?: string
  readonly method: 'GET' | 'POST'
  /** Kebab-case words, no parameters: `/reports/trial-balance`. */
  readonly path: string
  readonly query?: I & Fields
  readonly input?: I & Fields
  /** What the reply looks like, for the API's description. */
  readonly returns?: Fields
  run(ctx: Ctx, input: Out<I>): Answer<unknown>
}

/** What other plugins may call, in the caller's transaction. Its type stands in `contract.ts`. */
export interface Service<Ctx, I> {
  readonly input?: I & Fields
  readonly returns?: Fields
  run(ctx: Ctx, input: Out<I>): Answer<unknown>
}

/**
 * Work for later: `ctx.enqueue` has it run, its schedule does, or somebody of the tenant by hand. What it does is one
 * transaction; an attempt that fails leaves nothing and is made again, after longer and longer pauses.
 */
export interface Job<Ctx, I> {
  readonly title?: string
  readonly input?: I & Fields
  /** Five fields of cron, in the tenant's time zone: `0 6 * * 1-5`. Its input may then require nothing. */
  readonly schedule?: string
  /** How often it is tried before it is left to people: 1 to 25, without it 5. */
  readonly attempts?: number
  /** For each tenant, at most so many are begun in so many seconds; the others wait. */
  readonly rate?: { readonly max: number; readonly perSeconds: number }
  /** What it returns is kept as the job's result, up to 64 KiB of JSON. */
  run(ctx: Ctx & JobCapability, input: Out<I>): Answer<unknown>
}

/** Acts on one kind of event. */
export type Subscriber<Ctx, E> =
  | ((ctx: Ctx, event: E) => Answer<unknown>)
  | {
      /**
       * What becomes of events while a tenant is without this module: `'deliver'` brings them when it has the module again,
       * as far back as they are kept, which is also what happens without this; `'skip'` drops them.
       */
      readonly whileDisabled?: 'deliver' | 'skip'
      run(ctx: Ctx, event: E): Answer<unknown>
    }

/** A refusal the plugin may give. The message has `{slots}` for the data that `fail` is given. */
export interface PluginErrorSpec {
  readonly status: 400 | 403 | 404 | 409 | 422
  readonly message: string
}

/** A role the plugin suggests. Owners and admins may do everything already. */
export interface Role<P extends string> {
  readonly title?: string
  readonly can: readonly (
    | P
    | { readonly permission: P /** Only records that the user created. */; readonly own: true }
  )[]
}

type Generic = 'create' | 'read' | 'update' | 'delete'
type Permission<E, I, Q> =
  | '*'
  | `${keyof E & string}.${Generic | '*'}`
  | { [K in keyof I & string]: `${K}.${keyof I[K] & string}` }[keyof I & string]
  | `route.${(keyof Q & string) | '*'}`

type Ctx<E, S extends Fields, Ev, U, N, J> = Context<E, S, Ev, U, J> & Granted<N>

export interface PluginSpec<
  E extends Record<string, Entity<Fields>>,
  S extends Fields,
  Ev extends Record<string, Fields>,
  U extends Record<string, Use<Contract>>,
  N extends Needs,
  I extends Record<string, Record<string, unknown>>,
  Q extends Record<string, unknown>,
  V extends Record<string, unknown>,
  J extends Record<string, unknown>,
> {
  /** Lower-case letters and digits; the first segment of the URL and the prefix for others. Never changes. */
  readonly name: string
  readonly title: string
  readonly uses?: U
  readonly needs?: N
  readonly settings?: S
  readonly entities?: E
  readonly events?: Ev
  readonly errors?: Readonly<Record<string, PluginErrorSpec>>
  readonly actions?: {
    readonly [K in keyof I]: {
      readonly [A in keyof I[K]]: Action<Ctx<E, S, Ev, U, N, J>, E[K & keyof E], K & string, I[K][A]>
    }
  }
  readonly routes?: { readonly [R in keyof Q]: Route<Ctx<E, S, Ev, U, N, J>, Q[R]> }
  readonly services?: { readonly [R in keyof V]: Service<Ctx<E, S, Ev, U, N, J>, V[R]> }
  readonly hooks?: {
    readonly [K in keyof NoInfer<E> & string]?: EntityHooks<Ctx<E, S, Ev, U, N, J>, E[K], K>
  }
  /**
   * Acts on events of used plugins: `async 'oms.order.fulfilled'(ctx, { order }) {}`, or `{ whileDisabled, run }`. Each
   * takes effect once.
   */
  readonly on?: {
    readonly [K in keyof ForeignEvents<U>]?: Subscriber<Ctx<E, S, Ev, U, N, J>, ForeignEvents<U>[K]>
  }
  readonly jobs?: { readonly [R in keyof J]: Job<Ctx<E, S, Ev, U, N, J>, J[R]> }
  readonly roles?: Readonly<Record<string, Role<Permission<NoInfer<E>, NoInfer<I>, NoInfer<Q>>>>>
}

/**
 * Declares a plugin. The package exports the result as its default; the manifest is this value minus its functions.
 *
 * ```ts
 * export default definePlugin({ name: 'notes', title: 'Notes', entities: { note } })
 * ```
 */
export function definePlugin<
  E extends Record<string, Entity<Fields>> = None,
  S extends Fields = None,
  Ev extends Record<string, Fields> = None,
  U extends Record<string, Use<Contract>> = None,
  const N extends Needs = None,
  I extends Record<string, Record<string, unknown>> = None,
  Q extends Record<string, unknown> = None,
  V extends Record<string, unknown> = None,
  J extends Record<string, unknown> = None,
>(spec: PluginSpec<E, S, Ev, U, N, I, Q, V, J>): Plugin {
  return { name: spec.name, spec }
}
