// What must not be in a plugin's schema, or lead out of it: code, views, copies.
import type { CatalogueRule } from './catalogue-rule.ts'

export const codeRules: readonly CatalogueRule[] = [
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
    given: ['schema'],
    text: `select format('Every table is published to other servers, by %I.', p.pubname) as wrong
     from pg_publication p where p.puballtables and exists (select from pg_namespace where nspname = $1)
   union all
   select format('%I belongs to the extension %I.', c.relname, e.extname)
     from pg_depend d join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
     join pg_class c on c.oid = d.objid and d.classid = 'pg_class'::regclass
     join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and d.deptype = 'e'
   union all
   select format('There is a cast from %s to %s.', k.castsource::regtype, k.casttarget::regtype)
     from pg_cast k join pg_type t on t.oid in (k.castsource, k.casttarget) join pg_namespace n on n.oid = t.typnamespace
    where n.nspname = $1`,
  },

  // A view elsewhere shows its owner's rows to whoever may read the view; a materialised one shows them all.
  {
    given: ['schema'],
    text: `select distinct format('The view %I.%I reads %I with other rights than those of the reader.', o.nspname, v.relname, c.relname) as wrong
     from pg_depend d join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
     join pg_class v on v.oid = r.ev_class join pg_namespace o on o.oid = v.relnamespace
     join pg_class c on c.oid = d.refobjid and d.refclassid = 'pg_class'::regclass
     join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and v.oid <> c.oid
      and not (v.relkind = 'v' and coalesce(v.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes'], false))`,
  },
]
