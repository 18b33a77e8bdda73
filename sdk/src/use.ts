// The only door to another plugin: its contract, as types. No code of the other is imported.

/** What a plugin publishes for others, by convention as a type in its `contract.ts`. */
export interface Contract {
  readonly events?: Readonly<Record<string, unknown>>
  readonly services?: Readonly<Record<string, (input: never) => Promise<unknown>>>
}

/** A plugin's use of another. */
export interface Use<C extends Contract, O extends boolean = boolean> {
  /** Which versions of the other will do: `^1.4`. */
  readonly range: string
  readonly optional: O
  readonly __contract?: C
}

/**
 * Says that this plugin uses another: `uses: { oms: use<Oms>('^1.4') }` gives `ctx.uses.oms` and the events
 * `oms....` under `on`. The other must be enabled first, unless `{ optional: true }`: then `ctx.uses.oms` is `undefined`
 * for a tenant without it.
 */
export function use<C extends Contract>(range: string): Use<C, false>
export function use<C extends Contract>(range: string, options: { readonly optional: true }): Use<C, true>
export function use<C extends Contract>(range: string, options?: { readonly optional: true }): Use<C> {
  return { range, optional: options?.optional ?? false }
}

type EventsOf<U> = {
  [P in keyof U & string]: U[P] extends Use<infer C, boolean>
    ? { [E in keyof C['events'] & string as `${P}.${E}`]: C['events'][E] }
    : never
}[keyof U & string]
type Intersection<X> = (X extends unknown ? (one: X) => void : never) extends (all: infer I) => void
  ? I
  : never

/** The events of all used plugins, by `plugin.event`. */
export type ForeignEvents<U> = Intersection<EventsOf<U>>

/** The services of all used plugins; possibly `undefined` where the use is optional. */
export type ForeignServices<U> = {
  readonly [P in keyof U]: U[P] extends Use<infer C, infer O>
    ? C['services'] | (true extends O ? undefined : never)
    : never
}
