// What every field is: a spec (data) plus phantom types that the mapped types below read. No field has behaviour.

import type { FieldSpec, Json } from '../manifest.ts'

/**
 * The part of a field that the types read: `T` as it is read, `O` whether it may be absent, `D` whether it may be left
 * out when writing, `I` as it is written (lines are written with their optional fields left out).
 */
export interface FieldType<T, O extends boolean = false, D extends boolean = false, I = T> {
  readonly spec: FieldSpec
  readonly __type?: T
  readonly __input?: I
  readonly __optional?: O
  readonly __defaulted?: D
}

/** A field that can be made optional, unique or given a default. Each call returns another field. */
export interface Field<T, O extends boolean = false, D extends boolean = false> extends FieldType<T, O, D> {
  /** May be absent. Reading it gives `undefined` then, and `null` in a PATCH clears it. */
  optional(): Field<T, true, D>
  /** Stands in when the value is left out at creation (of a setting: as long as nobody has set it). */
  default(value: T): Field<T, O, true>
  /** No two records of a tenant may have the same value; a second one is refused with `RECORD_CONFLICT`. */
  unique(): Field<T, O, D>
  /** Says something of a person (an address, a salary): the audit trail shows it only to those who may see that. */
  personal(): Field<T, O, D>
}

/** A field that also has bounds. */
export interface RangedField<T, O extends boolean = false, D extends boolean = false> extends Field<T, O, D> {
  optional(): RangedField<T, true, D>
  default(value: T): RangedField<T, O, true>
  unique(): RangedField<T, O, D>
  personal(): RangedField<T, O, D>
  /** Least and greatest value, both allowed; of a text, least and greatest length. */
  range(min: number, max: number): RangedField<T, O, D>
}

/** A field of which nothing is known but that it is one. */
export type AnyField = FieldType<unknown, boolean, boolean, unknown>
/** Fields by key: of an entity, an event, an input or the settings. */
export type Fields = Readonly<Record<string, AnyField>>

type OptionalKeys<F> = {
  [K in keyof F]: F[K] extends FieldType<unknown, infer O, boolean> ? (true extends O ? K : never) : never
}[keyof F]
type OmittableKeys<F> = {
  [K in keyof F]: F[K] extends FieldType<unknown, infer O, infer D> ? (true extends O | D ? K : never) : never
}[keyof F]
type Read<F> = F extends FieldType<infer T, boolean, boolean, unknown> ? T : never
type Written<F> =
  F extends FieldType<unknown, infer O, boolean, infer I> ? (O extends true ? I | undefined : I) : never

/** The value of `fields` as a handler reads it: an optional field is an optional property. */
export type Out<F> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Read<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: Read<F[K]> | undefined
}

/** The value of `fields` as a handler writes it: optional fields and those with a default may be left out. */
export type In<F> = { readonly [K in Exclude<keyof F, OmittableKeys<F>>]: Written<F[K]> } & {
  readonly [K in OmittableKeys<F>]?: Written<F[K]>
}

/** Builds a field; the phantom types are the caller's claim, which is why only `fields/` uses it. */
export function field<T, O extends boolean = false, D extends boolean = false>(
  spec: FieldSpec,
): Field<T, O, D> {
  return {
    spec,
    optional: () => field<T, true, D>({ ...spec, optional: true }),
    default: (value) => field<T, O, true>({ ...spec, default: jsonOf(value) }),
    unique: () => field<T, O, D>({ ...spec, unique: true }),
    personal: () => field<T, O, D>({ ...spec, personal: true }),
  }
}

export function rangedField<T, O extends boolean = false, D extends boolean = false>(
  spec: FieldSpec,
): RangedField<T, O, D> {
  return {
    spec,
    optional: () => rangedField<T, true, D>({ ...spec, optional: true }),
    default: (value) => rangedField<T, O, true>({ ...spec, default: jsonOf(value) }),
    unique: () => rangedField<T, O, D>({ ...spec, unique: true }),
    personal: () => rangedField<T, O, D>({ ...spec, personal: true }),
    range: (min, max) => rangedField<T, O, D>({ ...spec, min, max }),
  }
}

// A default travels as JSON; making it JSON here shows a default that is none (a function, undefined) where it stands.
function jsonOf(value: unknown): Json {
  const text = JSON.stringify(value)
  if (text === undefined) throw new Error(`A default must be a JSON value, and ${String(value)} is not.`)
  return JSON.parse(text)
}
