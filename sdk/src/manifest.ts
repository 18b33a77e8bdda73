// What a plugin declares, as plain JSON: the plugin minus its functions. The kernel reads this, never the code.
// Owns the types and the derivation; `check-manifest.ts` says which declarations are impossible.

import { checkManifest } from './check-manifest.ts'
import type { DeclaredAction, DeclaredJob, DeclaredRoute, DeclaredSubscriber, Plugin } from './declaration.ts'
import { specsOf } from './fields/specs-of.ts'

/** A JSON value: what crosses the wall of the sandbox, and nothing else does. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

export type FieldKind =
  | 'text'
  | 'int'
  | 'decimal'
  | 'bool'
  | 'date'
  | 'money'
  | 'choice'
  | 'ref'
  | 'sequence'
  | 'state'
  | 'lines'
  | 'object'

/** One field as data. Which keys may be present depends on `kind`; see the field's own doc comment on `t`. */
export interface FieldSpec {
  readonly kind: FieldKind
  readonly optional?: true
  readonly default?: Json
  readonly unique?: true
  /** Says something of a person: the audit trail shows it only to readers who may see such things. */
  readonly personal?: true
  /** int: least value. text: least length. */
  readonly min?: number
  /** int: greatest value. text: greatest length, always present (4000 unless said). */
  readonly max?: number
  /** ref: `account` is an entity of this plugin, `crm.account` of another. */
  readonly entity?: string
  /** sequence: `JE-{year}-{00000}`. */
  readonly pattern?: string
  /** sequence: the state on whose entry the number is taken; without it, at creation. */
  readonly at?: string
  /** sequence: the date field that gives `{year}`; without it, the day on which the number is taken. */
  readonly dateField?: string
  /** state: from each state, the states it may become. */
  readonly transitions?: Readonly<Record<string, readonly string[]>>
  /** state: the state of a new record. */
  readonly initial?: string
  /** choice: the allowed values. */
  readonly values?: readonly string[]
  /** lines, object: what each line, or the object, consists of. */
  readonly fields?: FieldSpecs
}

export type FieldSpecs = Readonly<Record<string, FieldSpec>>

export interface EntitySpec {
  readonly title: string
  /** The plural in the URL: `journal-entries`. */
  readonly path: string
  readonly fields: FieldSpecs
  readonly indexes: readonly (readonly string[])[]
  /** States in which nothing about the record may change any more, not even by the plugin. */
  readonly immutableIn: readonly string[]
  /** The field that refers to the organisation unit of a record. */
  readonly scope?: { readonly unit: string }
}

/** An action that people of the tenant may have to agree to before it runs. */
export interface ApprovalSpec {
  /** The money field by which the tenant chooses who must agree. */
  readonly amount?: string
  /** The field with the id of the organisation unit by which he does. */
  readonly unit?: string
  /** Without a chain of the tenant's that fits, the action is refused instead of run. */
  readonly required?: true
  /** An action of the entity that runs when the request is rejected. */
  readonly rejected?: string
}

export interface ActionSpec {
  readonly title: string
  readonly approval?: ApprovalSpec
  readonly to?: string
  readonly input: FieldSpecs
  /** Whether the action has code; without it the kernel never enters the sandbox. */
  readonly run: boolean
}

export interface RouteSpec {
  readonly title: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly query: FieldSpecs
  readonly input: FieldSpecs
  readonly returns?: FieldSpecs
}

export interface ServiceSpec {
  readonly input: FieldSpecs
  readonly returns?: FieldSpecs
}

export interface ErrorSpec {
  readonly status: number
  /** With `{slots}` that are filled from the data given to `fail`. */
  readonly message: string
}

/** `account.read`, `journalEntry.post`, `journalEntry.*`, `route.trialBalance` or `*`; with `own`, only what one created. */
export type Rule = string | { readonly permission: string; readonly own: true }

export interface RoleSpec {
  readonly title: string
  readonly can: readonly Rule[]
}

/** Of a tenant's jobs of one name, at most `max` are begun in `perSeconds`. */
export interface RateSpec {
  readonly max: number
  readonly perSeconds: number
}

export interface JobSpec {
  readonly title: string
  readonly input: FieldSpecs
  /** Five fields of cron, in the tenant's time zone. */
  readonly schedule?: string
  /** How often it is tried, the first time included. */
  readonly attempts: number
  readonly rate?: RateSpec
}

export interface SubscriptionSpec {
  /** What becomes of events while a tenant is without the module: brought when it has it again, or dropped. */
  readonly whileDisabled: 'deliver' | 'skip'
}

export interface UseSpec {
  readonly range: string
  readonly optional: boolean
}

export interface SecretSpec {
  readonly title: string
  readonly host: string
}

export interface NeedsSpec {
  readonly http?: readonly string[]
  readonly secrets?: Readonly<Record<string, SecretSpec>>
  readonly sql?: 'read' | 'write'
  readonly approvals?: true
}

export interface Manifest {
  readonly manifestVersion: 1
  readonly name: string
  readonly title: string
  readonly uses: Readonly<Record<string, UseSpec>>
  readonly needs: NeedsSpec
  readonly settings: FieldSpecs
  readonly entities: Readonly<Record<string, EntitySpec>>
  readonly events: Readonly<Record<string, FieldSpecs>>
  readonly actions: Readonly<Record<string, Readonly<Record<string, ActionSpec>>>>
  readonly routes: Readonly<Record<string, RouteSpec>>
  readonly services: Readonly<Record<string, ServiceSpec>>
  readonly hooks: Readonly<Record<string, readonly 'validate'[]>>
  readonly errors: Readonly<Record<string, ErrorSpec>>
  /** By `plugin.event`. */
  readonly on: Readonly<Record<string, SubscriptionSpec>>
  readonly jobs: Readonly<Record<string, JobSpec>>
  readonly roles: Readonly<Record<string, RoleSpec>>
}

/**
 * The manifest of a plugin. Throws one sentence for each declaration that could never work (a state that does not
 * exist, a reference to an entity that is not there), so it fails when the plugin is packed and not at a customer's.
 *
 * The same code gives the same JSON text every time: named things keep the order of the source (a form shows fields
 * in that order), and the keys inside a spec have a fixed order.
 */
export function manifestOf(plugin: Plugin): Manifest {
  const spec = plugin.spec
  const manifest: Manifest = {
    manifestVersion: 1,
    name: spec.name,
    title: spec.title,
    uses: mapValues(spec.uses, (use) => ({ range: use.range, optional: use.optional })),
    needs: {
      ...(spec.needs?.http ? { http: [...spec.needs.http] } : {}),
      ...(spec.needs?.secrets
        ? { secrets: mapValues(spec.needs.secrets, ({ title, host }) => ({ title, host })) }
        : {}),
      ...(spec.needs?.sql ? { sql: spec.needs.sql } : {}),
      ...(spec.needs?.approvals ? { approvals: true } : {}),
    },
    settings: specsOf(spec.settings),
    entities: mapValues(spec.entities, (entity, key) => ({
      title: entity.title,
      path: entity.path ?? pluralPath(key),
      fields: specsOf(entity.fields),
      indexes: entity.indexes.map((index) => [...index]),
      immutableIn: [...entity.immutableIn],
      ...(entity.scope === undefined ? {} : { scope: { unit: entity.scope.unit } }),
    })),
    events: mapValues(spec.events, specsOf),
    actions: mapValues(spec.actions, (actions) => mapValues(actions, actionSpec)),
    routes: mapValues(spec.routes, routeSpec),
    services: mapValues(spec.services, (service) => ({
      input: specsOf(service.input),
      ...(service.returns ? { returns: specsOf(service.returns) } : {}),
    })),
    hooks: mapValues(spec.hooks, (hooks) => (hooks?.validate ? (['validate'] as const) : [])),
    errors: mapValues(spec.errors, ({ status, message }) => ({ status, message })),
    on: mapValues(spec.on, subscriptionSpec),
    jobs: mapValues(spec.jobs, jobSpec),
    roles: mapValues(spec.roles, (role, key) => ({ title: role.title ?? titleOf(key), can: [...role.can] })),
  }
  const impossible = checkManifest(manifest)
  if (impossible.length > 0) throw new Error(`Plugin '${spec.name}' cannot work. ${impossible.join(' ')}`)
  return manifest
}

const actionSpec = (action: DeclaredAction, key: string): ActionSpec => ({
  title: action.title ?? titleOf(key),
  ...(action.to === undefined ? {} : { to: action.to }),
  ...(action.approval ? { approval: approvalSpec(action.approval) } : {}),
  input: specsOf(action.input),
  run: typeof action.run === 'function',
})

const approvalSpec = ({ amount, unit, required, rejected }: ApprovalSpec): ApprovalSpec => ({
  ...(amount === undefined ? {} : { amount }),
  ...(unit === undefined ? {} : { unit }),
  ...(required ? { required } : {}),
  ...(rejected === undefined ? {} : { rejected }),
})

const routeSpec = (route: DeclaredRoute, key: string): RouteSpec => ({
  title: route.title ?? titleOf(key),
  method: route.method,
  path: route.path,
  query: specsOf(route.query),
  input: specsOf(route.input),
  ...(route.returns ? { returns: specsOf(route.returns) } : {}),
})

const defaultAttempts = 5

const jobSpec = ({ title, input, schedule, attempts, rate }: DeclaredJob, key: string): JobSpec => ({
  title: title ?? titleOf(key),
  input: specsOf(input),
  ...(schedule === undefined ? {} : { schedule }),
  attempts: attempts ?? defaultAttempts,
  ...(rate === undefined ? {} : { rate: { max: rate.max, perSeconds: rate.perSeconds } }),
})

const subscriptionSpec = (subscriber: DeclaredSubscriber | undefined): SubscriptionSpec => ({
  whileDisabled: (typeof subscriber === 'object' ? subscriber.whileDisabled : undefined) ?? 'deliver',
})

/** `journalEntry` -> `Journal entry`. */
const titleOf = (key: string) => {
  const words = key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** `journalEntry` -> `journal-entries`. Irregular plurals are given with `path`. */
const pluralPath = (key: string) => {
  const kebab = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  if (/[^aeiou]y$/.test(kebab)) return `${kebab.slice(0, -1)}ies`
  return /(s|x|z|ch|sh)$/.test(kebab) ? `${kebab}es` : `${kebab}s`
}

function mapValues<V, W>(
  record: Readonly<Record<string, V>> | undefined,
  map: (value: V, key: string) => W,
): Record<string, W> {
  const entries = Object.entries(record ?? {})
  return Object.fromEntries(entries.map(([key, value]) => [key, map(value, key)]))
}
