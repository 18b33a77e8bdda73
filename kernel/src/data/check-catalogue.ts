// What must be true of a plugin's schema, asked of PostgreSQL's own catalogue after every migration and at start.
// Each rule closes a way round row-level security that was tried out (sandbox.md, sections 1 and 2).
import type pg from 'pg'
import { tenantPolicy } from './plugin-migrations/plugin-ddl.ts'

export interface CatalogueRules {
  readonly schema: string
  /** The login that must own everything in it. */
  readonly owner: string
  /** The only other role with rights in it. */
  readonly role: string
}

/** Sentences about what is not as it must be; none when all is well. */
export async function checkCatalogue(client: pg.Client, rules: CatalogueRules): Promise<string[]> {
  const values = { ...rules, policy: tenantPolicy }
  const sentences: string[] = []
  for (const { given, text } of checks) {
    const { rows } = await client.query<{ wrong: string }>(
      text,
      given.map((name) => values[name]),
    )
    sentences.push(...rows.map((row) => row.wrong))
  }
  return sentences
}

interface Check {
  /** $1, $2 ... of the text. */
  readonly given: readonly (keyof CatalogueRules | 'policy')[]
  /** Gives a column `wrong`, a row for each thing that is. */
  readonly text: string
}

const tables = `
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = $1 and c.relkind not in ('i', 'I', 't')`

const checks: readonly Check[] = [
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

  // Code in the database runs outside every limit, and can undo SET LOCAL ROLE.
  {
    given: ['schema'],
    text: `select format('%s is not a table: a plugin has nothing else in its schema.', pg_describe_object(d.classid, d.objid, 0)) as wrong
     from pg_depend d join pg_namespace n on n.oid = d.refobjid
    where d.refclassid = 'pg_namespace'::regclass and n.nspname = $1 and d.classid <> 'pg_class'::regclass
   union all
   select format('%I has the trigger %I.', c.relname, g.tgname)
     from pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and not g.tgisinternal
   union all
   select format('%I has the rule %I.', c.relname, r.rulename)
     from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1
   union all
   select format('%I inherits from another table.', c.relname)
     from pg_inherits h join pg_class c on c.oid in (h.inhrelid, h.inhparent) join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1
   union all
   select format('%I is published to other servers.', c.relname)
     from pg_publication_rel p join pg_class c on c.oid = p.prrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1`,
  },

  {
    given: ['schema', 'owner', 'role'],
    text: `select distinct format('%s has rights on %I.', coalesce(r.rolname, 'PUBLIC'), o.name) as wrong
     from (select c.relname as name, c.relacl as acl ${tables}
           union all select n.nspname, n.nspacl from pg_namespace n where n.nspname = $1
           union all select c.relname, a.attacl from pg_attribute a join pg_class c on c.oid = a.attrelid
                       join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1) o
    cross join lateral aclexplode(o.acl) g left join pg_roles r on r.oid = g.grantee
    where coalesce(r.rolname, '') not in ($2, $3)
       or (r.rolname = $3 and g.privilege_type not in ('USAGE', 'SELECT', 'INSERT', 'UPDATE', 'DELETE'))`,
  },

  {
    given: ['role'],
    text: `select format('The role %s has rights beyond its schema.', r.rolname) as wrong from pg_roles r
    where r.rolname = $1 and (r.rolsuper or r.rolbypassrls or r.rolcanlogin or r.rolcreaterole or r.rolcreatedb
       or r.rolreplication or exists (select from pg_auth_members m where m.member = r.oid))`,
  },

  {
    given: ['owner'],
    text: `select format('kernel.tenant_id() is not the STABLE function of the kernel.') as wrong
    where not exists (select from pg_proc p join pg_language l on l.oid = p.prolang
     where p.oid = 'kernel.tenant_id()'::regprocedure and p.provolatile = 's' and not p.proleakproof
       -- The one that asks for a signature reads its key with its owner's rights; the plain one has none to use.
       and p.prosecdef = (l.lanname = 'plpgsql') and pg_get_userbyid(p.proowner) = $1)`,
  },
]
