// Which plugins there are at which versions, which of these serve whom, and what an operator is doing to them. A version
// is kept whole (bundle, manifest, migrations), so that every kernel process loads it from here, and so does a rollback.

export const up = `
create table kernel.plugin (
  module text primary key check (module ~ '^[a-z][a-z0-9]{1,30}$'),
  -- A module belongs to the package that provided it first.
  package text not null unique,
  state text not null check (state in ('installing', 'active', 'held', 'disabled', 'removing')),
  stable text,
  beta text,
  -- On trial for some tenants.
  candidate text,
  canary_percent integer check (canary_percent between 0 and 100),
  canary_tenants uuid[],
  -- What stable was before: rolling back goes there.
  previous text,
  host_per_tenant boolean not null default false,
  jitless boolean not null default false,
  created_at timestamptz(3) not null default now()
);

create table kernel.plugin_version (
  module text not null references kernel.plugin on delete cascade,
  version text not null,
  source text not null check (source in ('folder', 'registry')),
  -- sha512 of the tarball; null for a folder.
  integrity text,
  sdk_range text not null,
  bundle text not null,
  manifest jsonb not null,
  migrations jsonb not null,
  source_map text,
  signatures text not null default 'absent',
  provenance text not null default 'absent',
  installed_by text not null,
  installed_at timestamptz(3) not null default now(),
  primary key (module, version)
);

create table kernel.plugin_operation (
  id uuid primary key,
  kind text not null check (kind in ('install', 'upgrade', 'rollback', 'disable', 'enable', 'remove')),
  -- Null until a package has said which module it provides.
  module text,
  package text,
  version text,
  options jsonb not null,
  state text not null check (state in ('running', 'undoing', 'succeeded', 'failed')),
  -- Names of the steps that are done, in order.
  done text[] not null default '{}',
  -- What steps hand to later ones.
  data jsonb not null default '{}',
  error jsonb,
  started_by text not null,
  request_id text not null,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
create index plugin_operation_recent_idx on kernel.plugin_operation (created_at desc, id);
create unique index plugin_operation_one_idx on kernel.plugin_operation (coalesce(module, package))
  where state in ('running', 'undoing');

create table kernel.canary_count (
  operation uuid not null references kernel.plugin_operation on delete cascade,
  process uuid not null,
  requests bigint not null,
  failures bigint not null,
  primary key (operation, process)
);

alter table kernel.tenant_module
  add column channel text not null default 'stable' check (channel in ('stable', 'beta')),
  add column pinned text;
`

export const down = `
alter table kernel.tenant_module drop column channel, drop column pinned;
drop table kernel.canary_count;
drop table kernel.plugin_operation;
drop table kernel.plugin_version;
drop table kernel.plugin;
`
