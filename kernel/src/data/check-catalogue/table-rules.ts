// What must be true of each table of a plugin's schema: whose it is, who sees which rows, what its keys start with.
import type { CatalogueRule } from './catalogue-rule.ts'

export const tables = `
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind not in ('i', 'I', 't')`

export const tableRules: readonly CatalogueRule[] = [
  // A view runs with its owner's rights, a materialised view and a partition know no policy, a foreign table no rows of ours.
  {
    given: ['schema'],
    text: `select format('%I is not a plain table.', c.relname) as wrong ${tables}
     and (c.relkind <> 'r' or c.relpersistence <> 'p' or c.relispartition)`,
  },

  {
    given: ['schema', 'owner'],
    text: `select format('%I has an owner other than %s.', c.relname, $2::text) as wrong ${tables}
     and pg_get_userbyid(c.relowner) <> $2
   union all
   select format('The schema has an owner other than %s.', $2::text)
     from pg_namespace n where n.nspname = $1 and pg_get_userbyid(n.nspowner) <> $2`,
  },

  {
    given: ['schema'],
    text: `select format('%I has no forced row-level security.', c.relname) as wrong ${tables}
     and not (c.relrowsecurity and c.relforcerowsecurity)`,
  },

  {
    given: ['schema'],
    text: `select format('%I has no tenant_id uuid NOT NULL DEFAULT kernel.tenant_id().', c.relname) as wrong ${tables}
     and not exists (
       select from pg_attribute a join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = c.oid and a.attname = 'tenant_id' and a.atttypid = 'uuid'::regtype and a.attnotnull
          and a.attgenerated = '' and pg_get_expr(d.adbin, d.adrelid) = 'kernel.tenant_id()')`,
  },

  // A second permissive policy USING (true) would show every tenant's rows.
  {
    given: ['schema', 'policy'],
    text: `select format('%I has policies other than the one of the kernel.', c.relname) as wrong ${tables}
     and (select array_agg((p.polname, p.polpermissive, p.polcmd, p.polroles,
                            pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))::text)
            from pg_policy p where p.polrelid = c.oid)
         is distinct from array[('tenant'::name, true, '*'::"char", array[0::oid], $2::text, $2::text)::text]`,
  },

  // Without the tenant a unique key tells of others' values, and a foreign key reaches others' rows.
  {
    given: ['schema'],
    text: `select format('The key %I of %I does not start with tenant_id.', k.conname, c.relname) as wrong
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and k.contype in ('p', 'u', 'f')
      and (not exists (select from pg_attribute a
                        where a.attrelid = k.conrelid and a.attnum = k.conkey[1] and a.attname = 'tenant_id')
        or (k.contype = 'f' and not exists (select from pg_attribute a
                        where a.attrelid = k.confrelid and a.attnum = k.confkey[1] and a.attname = 'tenant_id')))
   union all
   select format('The constraint %I of %I is of a kind that no plugin has.', k.conname, c.relname)
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and k.contype not in ('p', 'u', 'f', 'n')
      -- A field that is being made required: its proof has not ended yet, or the process died before it did.
      and not (k.contype = 'c' and pg_get_constraintdef(k.oid) ~ '^CHECK \\(\\("?[a-z0-9_]+"? IS NOT NULL\\)\\)( NOT VALID)?$')
   union all
   select format('The unique index %I does not start with tenant_id.', c.relname)
     from pg_index x join pg_class c on c.oid = x.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and x.indisunique
      and not exists (select from pg_attribute a
                       where a.attrelid = x.indrelid and a.attnum = x.indkey[0] and a.attname = 'tenant_id')
   union all
   select format('The foreign key %I leads to another schema.', k.conname)
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     join pg_class f on f.oid = k.confrelid
    where n.nspname = $1 and k.contype = 'f' and f.relnamespace <> c.relnamespace`,
  },

  // Expressions call functions, and those of an index run when PostgreSQL likes.
  {
    given: ['schema'],
    text: `select format('The index %I has an expression or a condition.', x.relname) as wrong
     from pg_index i join pg_class x on x.oid = i.indexrelid join pg_namespace n on n.oid = x.relnamespace
    where n.nspname = $1 and (i.indexprs is not null or i.indpred is not null)
   union all
   select format('The column %I of %I has a default that is no constant.', a.attname, c.relname)
     from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
     join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and a.attname <> 'tenant_id'
      and (a.attgenerated <> '' or pg_get_expr(d.adbin, d.adrelid) !~
           '^(''([^'']|'''')*''(::[a-z ]+)?|\\(?-?[0-9.]+\\)?(::[a-z ]+)?|true|false)$')`,
  },
]
