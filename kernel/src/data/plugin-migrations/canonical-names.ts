// Names of constraints and indexes follow the names of tables and columns. After a rename they would not, and the next
// one that is made would find its name taken.
import type pg from 'pg'
import { constraintName, quoteName, sqlName } from '../sql-names.ts'

interface Named {
  readonly table: string
  readonly name: string
  /** As in pg_constraint, and 'i' for an index that is none. */
  readonly kind: 'p' | 'u' | 'f' | 'n' | 'i'
  readonly columns: readonly string[]
}

const everyName = `
  select c.relname::text as table, k.conname::text as name, k.contype::text as kind,
         (select array_agg(a.attname::text order by u.place) from unnest(k.conkey) with ordinality u (number, place)
            join pg_attribute a on a.attrelid = c.oid and a.attnum = u.number) as columns
    from pg_constraint k join pg_class c on c.oid = k.conrelid
   where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and k.contype in ('p', 'u', 'f', 'n')
  union all
  select c.relname::text, x.relname::text, 'i',
         (select array_agg(a.attname::text order by u.place) from unnest(i.indkey) with ordinality u (number, place)
            join pg_attribute a on a.attrelid = c.oid and a.attnum = u.number)
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
   where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and not i.indisunique
     and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u'))
   order by 1, 2`

/** Renames what has another name than it would be given today. In the transaction that `owner` is in. */
export async function takeCanonicalNames(owner: pg.Client, schema: string): Promise<void> {
  const { rows } = await owner.query<Named>(everyName, [schema])
  const taken = new Set(rows.map(({ table, kind, name }) => `${kind === 'i' ? '' : table}.${name}`))
  for (const row of rows) {
    const wanted = canonicalName(row)
    // Two indexes on the same columns would have one name: the second keeps its own.
    if (wanted === row.name || taken.has(`${row.kind === 'i' ? '' : row.table}.${wanted}`)) continue
    taken.add(`${row.kind === 'i' ? '' : row.table}.${wanted}`)
    const [from, to] = [quoteName(row.name), quoteName(wanted)]
    const text =
      row.kind === 'i'
        ? `alter index ${quoteName(schema)}.${from} rename to ${to}`
        : `alter table ${quoteName(schema)}.${quoteName(row.table)} rename constraint ${from} to ${to}`
    await owner.query(text)
  }
}

function canonicalName({ table, kind, columns }: Named): string {
  const [first = '', ...rest] = columns
  switch (kind) {
    case 'p':
      return sqlName(`${table}_pkey`)
    case 'n':
      return sqlName(`${table}_${first}_not_null`)
    case 'u':
      return constraintName(table, rest, 'key')
    case 'f':
      return constraintName(table, rest, 'fkey')
    case 'i':
      return constraintName(table, rest, 'idx')
  }
}
