// Where a tenant has rows: every table with a column `tenant_id`, as the database itself says, so that a table that was
// added yesterday is neither left out of an export nor out of an erasure.
import type pg from 'pg'
import { pluginSchema } from '../sql-names.ts'

export interface TenantTable {
  readonly schema: string
  readonly table: string
  /** Beside tenant_id, in their order, with PostgreSQL's name of the type. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** Columns of the primary key beside tenant_id: an order to read in. */
  readonly key: readonly string[]
}

/** Schema of a plugin, with its name. */
export interface PluginSchema {
  readonly plugin: string
  readonly schema: string
}

const inSchemas = `
  select n.nspname as schema, c.relname as table,
         array(select json_build_object('name', a.attname, 'type', format_type(a.atttypid, null))
                 from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                  and a.attname <> 'tenant_id' order by a.attnum) as columns,
         array(select a.attname::text from pg_index i, unnest(i.indkey) with ordinality as k(num, at)
                 join pg_attribute a on a.attnum = k.num
                where i.indrelid = c.oid and a.attrelid = c.oid and i.indisprimary and a.attname <> 'tenant_id'
                order by k.at) as key
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname = any($1) and c.relkind in ('r', 'p')
     and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped)
   order by 1, 2`

/** `client` may be of any login: catalogues are open. */
export async function tenantTables(
  client: Pick<pg.ClientBase, 'query'>,
  schemas: readonly string[],
): Promise<TenantTable[]> {
  const { rows } = await client.query<TenantTable>(inSchemas, [schemas])
  return rows
}

/** Of every plugin that has tables here, whether it is served or not. */
export async function pluginSchemas(client: Pick<pg.ClientBase, 'query'>): Promise<PluginSchema[]> {
  const { rows } = await client.query<{ plugin: string }>(
    'select distinct plugin from kernel.plugin_migration order by 1',
  )
  return rows.map(({ plugin }) => ({ plugin, schema: pluginSchema(plugin) }))
}
