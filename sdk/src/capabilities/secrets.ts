// Capability: secrets that the tenant's admin set for this plugin, to be sent and never to be seen.

/** Stands for a secret in `headers`, `query`, `form` and `json` of a request. The kernel puts the value in its place. */
export interface SecretUse {
  readonly $secret: string
  readonly as: 'raw' | 'bearer' | 'basic'
  readonly user?: string
}

export interface Secret {
  /** The value alone: `{ 'x-api-key': ctx.secrets.bankKey.raw() }`. */
  raw(): SecretUse
  /** `Bearer <value>`. */
  bearer(): SecretUse
  /** `Basic` with the user name and the value as password; without one, of a value that is `user:password`. */
  basic(user?: string): SecretUse
}

export interface SecretsCapability<K extends string> {
  /**
   * A fetch with a secret that the tenant has not set rejects with `SECRET_NOT_SET`.
   *
   * ```ts
   * await ctx.http.fetch(url, { headers: { authorization: ctx.secrets.bankKey.bearer() } })
   * ```
   */
  readonly secrets: { readonly [P in K]: Secret }
}
