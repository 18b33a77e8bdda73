// What a plugin's role may do, who may become it, and what everybody may do in the kernel's own schemas.
import type { CatalogueRule } from './catalogue-rule.ts'
import { tables } from './table-rules.ts'

export const roleRules: readonly CatalogueRule[] = [
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
       and p.proconfig is null and pg_get_userbyid(p.proowner) = $1
       -- The one that asks for a signature reads its key with its owner's rights; the plain one has none to use.
       and case l.lanname when 'plpgsql' then p.prosecdef else not p.prosecdef
       and pg_get_function_sqlbody(p.oid) = 'RETURN (NULLIF(current_setting(''plinth.tenant_id''::text, true), ''''::text))::uuid' end)`,
  },

  {
    given: ['role', 'schema'],
    text: `select distinct format('The role %s has rights on %s.', $1::text, pg_describe_object(d.classid, d.objid, 0)) as wrong
     from pg_shdepend d
    where d.refclassid = 'pg_authid'::regclass and d.refobjid = to_regrole($1)
      and d.dbid in (0, (select oid from pg_database where datname = current_database()))
      and not (d.deptype = 'a' and (
           (d.classid = 'pg_class'::regclass and d.objid in (select oid from pg_class where relnamespace = to_regnamespace($2)))
        or (d.classid = 'pg_namespace'::regclass and d.objid = to_regnamespace($2))
        or (d.classid = 'pg_proc'::regclass and d.objid = 'kernel.tenant_id()'::regprocedure)))
      and d.deptype <> 'r'
   union all
   select format('The role %s has settings of its own.', $1::text)
     from pg_db_role_setting s where s.setrole = to_regrole($1)`,
  },

  {
    given: ['role', 'owner', 'data'],
    text: `select distinct format('%s may become %s.', pg_get_userbyid(m.member), $1::text) as wrong
     from pg_auth_members m
    where m.roleid = to_regrole($1) and case pg_get_userbyid(m.member)
          -- It made the role, and may lend it; it may not act as it.
          when $2 then m.set_option or m.inherit_option
          when $3 then m.inherit_option or m.admin_option
          else true end`,
  },

  // Functions are open to everybody unless somebody says otherwise.
  {
    given: ['role'],
    text: `select format('%s runs with the rights of %s, and a plugin may call it.', p.oid::regprocedure, pg_get_userbyid(p.proowner)) as wrong
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
      and has_function_privilege($1, p.oid, 'execute') and has_schema_privilege($1, n.oid, 'usage')`,
  },
  {
    given: ['owner'],
    text: `select distinct format('PUBLIC has rights on %s.', o.name) as wrong
     from (select n.nspname::text as name, n.nspacl as acl from pg_namespace n where n.nspname in ('kernel', 'identity')
           union all select c.oid::regclass::text, c.relacl from pg_class c join pg_namespace n on n.oid = c.relnamespace
                      where n.nspname in ('kernel', 'identity')
           union all select p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
                       from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                      where n.nspname in ('kernel', 'identity')) o
     cross join lateral aclexplode(o.acl) g where g.grantee = 0
   union all
   select format('What %s makes is open to %s.', $1::text, coalesce(r.rolname, 'PUBLIC'))
     from pg_default_acl d cross join lateral aclexplode(d.defaclacl) g left join pg_roles r on r.oid = g.grantee
    where d.defaclrole = to_regrole($1) and g.grantee <> d.defaclrole`,
  },
]
