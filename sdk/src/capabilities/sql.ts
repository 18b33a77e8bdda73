// Capability: one vetted SQL statement at a time, for reports and for changing many records at once. Only with
// `needs: { sql: 'read' }` or `'write'`.

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
   *
   * With `needs: { sql: 'write' }` it may be an INSERT, UPDATE or DELETE too, and `returning` gives the rows. Versions,
   * authors and times are the kernel's; states, numbers and records that no longer change are out of its reach.
   */
  sql(
    text: TemplateStringsArray,
    ...values: readonly (string | number | boolean | null | readonly string[])[]
  ): Promise<readonly SqlRow[]>
}
