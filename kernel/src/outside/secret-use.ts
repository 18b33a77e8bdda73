// A secret as a plugin names it in a request: `{ $secret: 'bankKey', as: 'bearer' }`. It has no power of its own: who
// writes one by hand names a secret of his own module for his own tenant, which goes to its own host or nowhere.
import { errors } from '../errors.ts'

export interface SecretUse {
  readonly $secret: string
  readonly as: 'raw' | 'bearer' | 'basic'
  /** basic: the user name before the colon. */
  readonly user?: string
}

/** A text, and the secrets that are in it. */
export interface Filled {
  readonly text: string
  readonly secrets: readonly string[]
}

/** Nests no deeper than what `JSON.stringify` and a reader of it take without trouble. */
const deepest = 64
const longestUser = 256

const refuse = (reason: string) => errors.fetchRefused({ reason })

const hasOwnSecret = (value: object): value is { readonly $secret: unknown } =>
  Object.hasOwn(value, '$secret')

/** @throws FETCH_REFUSED for something with `$secret` that is no use of one */
export function secretUseIn(value: unknown): SecretUse | undefined {
  if (typeof value !== 'object' || value === null || !hasOwnSecret(value)) return undefined
  const { $secret, as, user, ...more }: Record<string, unknown> & { $secret: unknown } = { ...value }
  const isUse =
    typeof $secret === 'string' &&
    (as === 'raw' || as === 'bearer' || as === 'basic') &&
    (user === undefined || (as === 'basic' && typeof user === 'string' && user.length <= longestUser)) &&
    Object.keys(more).length === 0
  if (!isUse) throw refuse("an object with '$secret' is no secret; take it from ctx.secrets.")
  return { $secret, as, ...(user === undefined ? {} : { user }) }
}

/** Every secret that a value names, however deep. @throws FETCH_REFUSED */
export function secretsNamedIn(value: unknown, depth = 0): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  if (depth > deepest) throw refuse(`the request nests deeper than ${deepest}.`)
  const use = secretUseIn(value)
  if (use) return [use.$secret]
  return Object.values(value).flatMap((inner) => secretsNamedIn(inner, depth + 1))
}

/** What is sent for a use. */
export function written(use: SecretUse, values: ReadonlyMap<string, string>): string {
  const value = values.get(use.$secret) ?? ''
  if (use.as === 'raw') return value
  if (use.as === 'bearer') return `Bearer ${value}`
  const pair = use.user === undefined ? value : `${use.user}:${value}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

/** The value with every use in it replaced. Call `secretsNamedIn` first: it bounds the depth. */
export function filled(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const use = secretUseIn(value)
  if (use) return written(use, values)
  if (Array.isArray(value)) return value.map((inner) => filled(inner, values))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner, values)]))
}
