import t from 'tap'
import { testDatabase } from '../../../tests/support/database.ts'
import { ledger } from '../../../tests/support/manifest.ts'
import { checkCatalogue } from './check-catalogue.ts'

const db = await testDatabase(t)
const { role, schema } = await db.installPlugin(ledger)
const rules = { schema, role, owner: 'plinthtest_owner', data: 'plinthtest_data' }

/** What the check says of the schema after `change`, which is undone again. */
async function sentencesAfter(change: string): Promise<string> {
  await db.admin.query('begin')
  try {
    await db.admin.query(change)
    return (await checkCatalogue(db.admin, rules)).join(' ')
  } finally {
    await db.admin.query('rollback')
  }
}

t.test('a schema that the kernel made passes', async (t) => {
  t.strictSame(await checkCatalogue(db.admin, rules), [])
  t.equal(await sentencesAfter('create table public.elsewhere (a int)'), '')
})

const table = 'plugin_ledger.account'
const changes: Record<string, [string, RegExp]> = {
  'row-level security is off': [
    `alter table ${table} disable row level security`,
    /account has no forced row-level security/,
  ],
  'row-level security is not forced': [
    `alter table ${table} no force row level security`,
    /account has no forced row-level security/,
  ],
  'the policy is gone': [
    `drop policy tenant on ${table}`,
    /account has policies other than the one of the kernel/,
  ],
  'there is a second policy': [
    `create policy all_rows on ${table} using (true)`,
    /account has policies other/,
  ],
  'the policy is for one role': [`alter policy tenant on ${table} to ${role}`, /account has policies other/],
  'the policy shows more': [
    `alter policy tenant on ${table} using (tenant_id = kernel.tenant_id() or code = 'x')`,
    /account has policies other/,
  ],
  'the policy checks nothing': [
    `alter policy tenant on ${table} with check (true)`,
    /account has policies other/,
  ],
  'a table without a tenant': [
    `create table plugin_ledger.loose (a int)`,
    /loose has no forced.* loose has no tenant_id/,
  ],
  'a tenant that may be NULL': [
    `alter table plugin_ledger.journal_entry_lines drop constraint journal_entry_lines_pkey; alter table plugin_ledger.journal_entry_lines alter tenant_id drop not null`,
    /journal_entry_lines has no tenant_id/,
  ],
  'a tenant with another default': [
    `alter table ${table} alter tenant_id set default '01890000-0000-7000-8000-000000000000'`,
    /account has no tenant_id/,
  ],
  'a unique key over all tenants': [
    `alter table ${table} add constraint oracle unique (code)`,
    /The key oracle of account does not start with tenant_id/,
  ],
  'a unique index over all tenants': [
    `create unique index oracle on ${table} (code)`,
    /The unique index oracle does not start with tenant_id/,
  ],
  'a unique index on an expression': [
    `create unique index oracle on ${table} ((tenant_id::text))`,
    /The unique index oracle/,
  ],
  'a foreign key over all tenants': [
    `alter table ${table} add unique (id, tenant_id); alter table ${table} add constraint weapon foreign key (parent, tenant_id) references ${table} (id, tenant_id)`,
    /The key weapon of account/,
  ],
  'a foreign key into the kernel': [
    `alter table ${table} add constraint spy foreign key (tenant_id) references kernel.tenant (id)`,
    /The foreign key spy leads to another schema/,
  ],
  'a check constraint': [
    `alter table ${table} add constraint odd check (code > '')`,
    /The constraint odd of account is of a kind/,
  ],
  'a view': [`create view plugin_ledger.v as select * from ${table}`, /v is not a plain table/],
  'a materialised view': [
    `create materialized view plugin_ledger.v as select * from ${table}`,
    /v is not a plain table/,
  ],
  'a sequence': ['create sequence plugin_ledger.s', /s is not a plain table/],
  'a partitioned table': [
    'create table plugin_ledger.p (tenant_id uuid) partition by list (tenant_id)',
    /p is not a plain table/,
  ],
  'an unlogged table': [
    `alter table plugin_ledger.number_series set unlogged`,
    /number_series is not a plain table/,
  ],
  'a child table': [`create table plugin_ledger.child () inherits (${table})`, /inherits from another table/],
  'a child table elsewhere': [
    `create table public.child () inherits (${table})`,
    /account inherits from another table/,
  ],
  'a function': [
    'create function plugin_ledger.f() returns int language sql return 1',
    /plugin_ledger\.f\(\) is not a table/,
  ],
  'a domain': ['create domain plugin_ledger.d as int check (value > 0)', /plugin_ledger\.d is not a table/],
  'an operator': [
    'create operator plugin_ledger.=== (function = int4eq, leftarg = int, rightarg = int)',
    /operator .* is not a table/,
  ],
  'a trigger': [
    `create trigger g before insert on ${table} for each row execute function suppress_redundant_updates_trigger()`,
    /account has the trigger g/,
  ],
  'a rule': [`create rule r as on delete to ${table} do also nothing`, /account has the rule r/],
  'a publication': [`create publication leak for table ${table}`, /account is published/],
  'another owner': [
    `alter table ${table} owner to plinthtest_kernel`,
    /account has an owner other than plinthtest_owner/,
  ],
  'another owner of the schema': [
    'alter schema plugin_ledger owner to plinthtest_kernel',
    /The schema has an owner other/,
  ],
  'rights of PUBLIC': [`grant select on ${table} to public`, /PUBLIC has rights on account/],
  'rights of another role': [
    `grant select (code) on ${table} to plinthtest_data`,
    /plinthtest_data has rights on account/,
  ],
  'rights on the schema': [
    'grant usage on schema plugin_ledger to plinthtest_kernel',
    /plinthtest_kernel has rights on plugin_ledger/,
  ],
  'more rights of the plugin': [
    `grant truncate on ${table} to ${role}`,
    /plinthtest_plugin_ledger has rights on account/,
  ],
  'a plugin that may create': [
    `grant create on schema plugin_ledger to ${role}`,
    /plinthtest_plugin_ledger has rights on plugin_ledger/,
  ],
  'default privileges': [
    'alter default privileges for role plinthtest_owner in schema plugin_ledger grant select on tables to public',
    /is not a table/,
  ],
  'a plugin role that logs in': [`alter role ${role} login`, /has rights beyond its schema/],
  'a plugin role that bypasses policies': [`alter role ${role} bypassrls`, /has rights beyond its schema/],
  'a plugin role that is a member': [`grant pg_read_all_data to ${role}`, /has rights beyond its schema/],
  'an immutable tenant_id()': [
    'alter function kernel.tenant_id() immutable',
    /kernel\.tenant_id\(\) is not the STABLE/,
  ],
  'a definer tenant_id()': [
    'alter function kernel.tenant_id() security definer',
    /kernel\.tenant_id\(\) is not the STABLE/,
  ],
  'an index on an expression': [
    `create index odd on ${table} (tenant_id, lower(code))`,
    /The index odd has an expression/,
  ],
  'an index with a condition': [
    `create index odd on ${table} (tenant_id) where code > ''`,
    /The index odd has an expression or a condition/,
  ],
  'a default that calls a function': [
    `alter table ${table} alter name set default current_setting('x')`,
    /The column name of account has a default that is no constant/,
  ],
  'a generated column': [
    `alter table ${table} add loud text generated always as (upper(code)) stored`,
    /The column loud of account has a default/,
  ],
  'a publication of all tables': [
    'create publication leak for all tables',
    /Every table is published.* leak/,
  ],
  'a publication of the schema': [
    'create publication leak for tables in schema plugin_ledger',
    /publication of schema plugin_ledger.* is not a table/,
  ],
  'a table of an extension': [
    `alter extension plpgsql add table ${table}`,
    /account belongs to the extension plpgsql/,
  ],
  'a cast': [
    `create cast (${table} as text) with inout`,
    /There is a cast from plugin_ledger\.account to text/,
  ],
  'a view elsewhere': [
    `create view public.v as select * from ${table}`,
    /The view public\.v reads account with other rights/,
  ],
  'a materialised view elsewhere': [
    `create materialized view public.v as select * from ${table}`,
    /The view public\.v reads account with other rights/,
  ],
  'a foreign table': [
    `create foreign data wrapper w; create server s foreign data wrapper w; create foreign table plugin_ledger.f (a int) server s`,
    /f is not a plain table/,
  ],
  'rights of the plugin elsewhere': [
    `grant select on kernel.tenant to ${role}`,
    /The role plinthtest_plugin_ledger has rights on table kernel\.tenant/,
  ],
  'a plugin that may create in the database': [
    `do $$ begin execute format('grant create on database %I to ${role}', current_database()); end $$`,
    /The role plinthtest_plugin_ledger has rights on database/,
  ],
  'a plugin that calls a kernel function': [
    `create function kernel.f() returns int language sql return 1; revoke execute on function kernel.f() from public; grant execute on function kernel.f() to ${role}`,
    /has rights on function kernel\.f\(\)/,
  ],
  'a plugin that owns something': [
    `create schema mine authorization ${role}`,
    /The role plinthtest_plugin_ledger has rights on schema mine/,
  ],
  'a plugin role with settings': [`alter role ${role} set plinth.tenant_id = 'x'`, /has settings of its own/],
  'a plugin role that makes roles': [`alter role ${role} createrole`, /has rights beyond its schema/],
  'somebody else who may become the plugin': [
    `grant ${role} to plinthtest_kernel`,
    /plinthtest_kernel may become plinthtest_plugin_ledger/,
  ],
  'a data login that has the rights all the time': [
    `grant ${role} to plinthtest_data with inherit true`,
    /plinthtest_data may become plinthtest_plugin_ledger/,
  ],
  'an owner that may act as the plugin': [
    `grant ${role} to plinthtest_owner with set true`,
    /plinthtest_owner may become plinthtest_plugin_ledger/,
  ],
  'a definer function that the plugin may call': [
    `grant usage on schema public to public; create function public.f() returns int security definer language sql return 1`,
    /f\(\) runs with the rights of .* and a plugin may call it/,
  ],
  'a kernel function open to everybody': [
    'create function kernel.f() returns int language sql return 1',
    /PUBLIC has rights on kernel\.f\(\)/,
  ],
  'a kernel table open to everybody': [
    'grant select on kernel.tenant to public',
    /PUBLIC has rights on kernel\.tenant/,
  ],
  'a kernel schema open to everybody': [
    'grant usage on schema identity to public',
    /PUBLIC has rights on identity/,
  ],
  'default privileges everywhere': [
    'alter default privileges for role plinthtest_owner grant select on tables to public',
    /What plinthtest_owner makes is open to PUBLIC/,
  ],
  'a leakproof tenant_id()': [
    'alter function kernel.tenant_id() leakproof',
    /kernel\.tenant_id\(\) is not the STABLE/,
  ],
  'another tenant_id()': [
    `create or replace function kernel.tenant_id() returns uuid language sql stable parallel safe return '01890000-0000-7000-8000-000000000000'::uuid`,
    /kernel\.tenant_id\(\) is not the STABLE/,
  ],
}

t.test('a field that is being made required is no fault', async (t) => {
  for (const proof of ['', 'not valid']) {
    const add = `alter table ${table} add constraint account_name_required check (name is not null) ${proof}`
    t.equal(await sentencesAfter(add), '')
  }
})

for (const [name, [change, sentence]] of Object.entries(changes)) {
  t.test(`${name}: found`, async (t) => {
    t.match(await sentencesAfter(change), sentence)
  })
}
