// The untyped face of a plugin: what the kernel's guest finds on `plugin.spec` when it runs a handler.
// Authors never write these types; `define-plugin.ts` has the ones that infer.

import type { Entity } from './entity.ts'
import type { Fields } from './fields/field.ts'
import type { ApprovalSpec, ErrorSpec, NeedsSpec, RateSpec, Rule, UseSpec } from './manifest.ts'

export interface DeclaredAction {
  readonly title?: string
  readonly to?: string
  readonly approval?: ApprovalSpec
  readonly input?: Fields
  run?(ctx: never, record: never, input: never): unknown
}

export interface DeclaredRoute {
  readonly title?: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query?: Fields
  readonly input?: Fields
  readonly returns?: Fields
  run(ctx: never, input: never): unknown
}

export interface DeclaredService {
  readonly input?: Fields
  readonly returns?: Fields
  run(ctx: never, input: never): unknown
}

export interface DeclaredJob {
  readonly title?: string
  readonly input?: Fields
  readonly schedule?: string
  readonly attempts?: number
  readonly rate?: RateSpec
  run(ctx: never, input: never): unknown
}

export type DeclaredSubscriber =
  | ((ctx: never, event: never) => unknown)
  | { readonly whileDisabled?: 'deliver' | 'skip'; run(ctx: never, event: never): unknown }

/** A plugin as written, handlers included. */
export interface Declaration {
  readonly name: string
  readonly title: string
  readonly uses?: Readonly<Record<string, UseSpec>>
  readonly needs?: NeedsSpec
  readonly settings?: Fields
  readonly entities?: Readonly<Record<string, Entity<Fields>>>
  readonly events?: Readonly<Record<string, Fields>>
  readonly actions?: Readonly<Record<string, Readonly<Record<string, DeclaredAction>>>>
  readonly routes?: Readonly<Record<string, DeclaredRoute>>
  readonly services?: Readonly<Record<string, DeclaredService>>
  readonly hooks?: Readonly<Record<string, { validate?(ctx: never, record: never): unknown } | undefined>>
  readonly errors?: Readonly<Record<string, ErrorSpec>>
  readonly on?: Readonly<Record<string, DeclaredSubscriber | undefined>>
  readonly jobs?: Readonly<Record<string, DeclaredJob>>
  readonly roles?: Readonly<Record<string, { readonly title?: string; readonly can: readonly Rule[] }>>
}

/** What `definePlugin` returns and a plugin package exports as its default. */
export interface Plugin {
  readonly name: string
  /** The declaration with its handlers; `manifestOf` gives the part that is data. */
  readonly spec: Declaration
}
