// The rows of one tenant in one table, as lines of JSON, in pages that are bounded in rows and in bytes. The JSON is
// written by the database: a number with decimals is text in it, as everywhere in Plinth, and is never a float.

import { quoteName } from '../sql-names.ts'
import type { TenantTable } from './tenant-tables.ts'

export interface RowPage {
  /** Each with its line break. */
  readonly text: string
  readonly rows: number
}

/** Runs one reading statement; rows come as texts. */
export type ReadText = (
  text: string,
  values: readonly unknown[],
) => Promise<readonly (readonly (string | null)[])[]>

const rowsAtOnce = 500
/** One row may be more than that: then it comes alone. */
const bytesAtOnce = 2_000_000

/** Names of what nobody is told, whoever he is: it opens something, or was made of what does. */
const isSecret = (name: string, type: string): boolean =>
  type === 'bytea' || /(?:^|_)(?:hash|secret|sealed|token|challenge)$/.test(name)

const asText = /^(?:numeric|bigint)/

export function exportedColumns({ columns }: TenantTable): TenantTable['columns'] {
  return columns.filter(({ name, type }) => !isSecret(name, type))
}

/** `where` is for tables without row-level security; its value is $1. */
export async function* readRows(
  table: TenantTable,
  read: ReadText,
  where?: { readonly sql: string; readonly value: string },
): AsyncGenerator<RowPage> {
  const from = `${quoteName(table.schema)}.${quoteName(table.table)}`
  const shown = exportedColumns(table).map(({ name, type }) => {
    const column = quoteName(name)
    return asText.test(type) ? `t.${column}::text as ${column}` : `t.${column}`
  })
  // Without a key of its own a table is read in the order in which it lies there.
  const key = table.key.length > 0 ? table.key.map(quoteName) : ['ctid']
  const types =
    table.key.length > 0
      ? table.key.map((name) => table.columns.find((column) => column.name === name)?.type ?? 'text')
      : ['tid']
  const keys = key.map((column) => `t.${column}`).join(', ')
  const given = where ? 1 : 0
  const placed = types.map((type, at) => `$${at + 1 + given}::${type}`).join(', ')
  const order = key.map((_, at) => `k${at}`).join(', ')
  const page = (after: boolean): string => `
    select line, ${key.map((_, at) => `k${at}::text`).join(', ')} from (
      select line, ${order}, row_number() over (order by ${order}) as n,
             sum(octet_length(line)) over (order by ${order} rows unbounded preceding) as bytes
        from (select (select row_to_json(r) from (select ${shown.join(', ')}) r)::text as line,
                     ${key.map((column, at) => `t.${column} as k${at}`).join(', ')}
                from ${from} t
               where ${[where?.sql ?? 'true', ...(after ? [`(${keys}) > (${placed})`] : [])].join(' and ')}
               order by ${keys} limit ${rowsAtOnce}) page) bounded
     where n = 1 or bytes <= ${bytesAtOnce} order by ${order}`
  let after: readonly (string | null)[] = []
  for (;;) {
    const rows = await read(page(after.length > 0), [...(where ? [where.value] : []), ...after])
    const last = rows.at(-1)
    if (!last) return
    yield { text: `${rows.map(([line]) => line ?? '{}').join('\n')}\n`, rows: rows.length }
    after = last.slice(1)
  }
}
