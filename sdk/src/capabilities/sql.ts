// Capability: one vetted SQL statement at a time, for reports. Only with `needs: { sql: 'read' }` or `'write'`.

/** A value in a result row. Numerics come as text, dates as `YYYY-MM-DD`. */
export type SqlValue =
  | string
  | number
  | boolean
  | null
  | readonly SqlValue[]
  | { readonly [key: string]: SqlValue }
/** A result row by column name. */
export type SqlRow = { readonly [column: string]: SqlValue }

export interface SqlCapability {
  /**
   * Runs one statement over the plugin's own tables, which hold this tenant's rows only. Values become parameters:
   *
   * ```ts
   * const rows = await ctx.sql`select code, name from account where type = ${'asset'} order by code`
   * ```
   */
  sql(
    text: TemplateStringsArray,
    ...values: readonly (string | number | boolean | null | readonly string[])[]
  ): Promise<readonly SqlRow[]>
}
