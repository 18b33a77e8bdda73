// What a handler is given: the sum of its capabilities, and its whole authority.

import type { Fields } from '../fields/field.ts'
import type { ApprovalsCapability } from './approvals.ts'
import type { EntitiesCapability } from './entities.ts'
import type { EventsCapability } from './events.ts'
import type { HttpCapability } from './http.ts'
import type { InvocationCapability } from './invocation.ts'
import type { JobsCapability } from './jobs.ts'
import type { LogCapability } from './log.ts'
import type { SecretsCapability } from './secrets.ts'
import type { ServicesCapability } from './services.ts'
import type { SettingsCapability } from './settings.ts'
import type { SqlCapability } from './sql.ts'

/** What a plugin asks for beyond its own data. The tenant's admin sees this before enabling the module. */
export interface Needs {
  /** Hosts that `ctx.http` may talk to: `['api.bank.example']`. Names only, each in full. */
  readonly http?: readonly string[]
  /** Secrets that the tenant's admin sets, each for one host of `http`, for `ctx.secrets`. */
  readonly secrets?: Readonly<Record<string, { readonly title: string; readonly host: string }>>
  /** `'read'` gives `ctx.sql` for SELECT, `'write'` for INSERT, UPDATE and DELETE too. */
  readonly sql?: 'read' | 'write'
  /** Gives `ctx.approvals`, to ask for approvals. */
  readonly approvals?: true
}

/** What was not asked for is absent from the type, not optional. */
export type Granted<N> = (N extends { readonly http: readonly string[] } ? HttpCapability : unknown) &
  (N extends { readonly secrets: Readonly<Record<string, unknown>> }
    ? SecretsCapability<keyof N['secrets'] & string>
    : unknown) &
  (N extends { readonly sql: 'read' | 'write' } ? SqlCapability : unknown) &
  (N extends { readonly approvals: true } ? ApprovalsCapability : unknown)

/**
 * The `ctx` of every handler. It is inferred where you write handlers in `definePlugin`; name it for a function that
 * takes a part of it: `Pick<Context<{ account: typeof account }>, 'entities'>`.
 */
export interface Context<E, S extends Fields = Fields, Ev = unknown, U = unknown, J = unknown>
  extends InvocationCapability,
    EntitiesCapability<E>,
    SettingsCapability<S>,
    ServicesCapability<U>,
    EventsCapability<Ev>,
    JobsCapability<J>,
    LogCapability {}
