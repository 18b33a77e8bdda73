// Tenants and who belongs to them; the installation itself; which plugin migrations have run; and the function that
// every row policy of every plugin table calls.

export const up = `
create table kernel.installation (
  only_one boolean primary key default true check (only_one),
  secret_fingerprint text not null,
  created_at timestamptz(3) not null default now()
);

-- STABLE: an IMMUTABLE one is folded into a prepared statement's plan, and the next tenant gets these rows.
-- After COMMIT the setting is '' and not NULL; without a tenant nothing is visible.
create function kernel.tenant_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('plinth.tenant_id', true), '')::uuid;

create table kernel.tenant (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$'),
  name text not null check (char_length(name) between 1 and 200),
  currency text not null default 'INR' check (currency ~ '^[A-Z]{3}$'),
  plan text not null default 'starter',
  created_at timestamptz(3) not null default now()
);

-- user_id names identity."user" without a foreign key: identity may move to another database.
create table kernel.membership (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  user_id text not null,
  role text not null check (role in ('owner', 'admin', 'member')),
  created_at timestamptz(3) not null default now(),
  primary key (tenant_id, user_id)
);
create index membership_user_id_idx on kernel.membership (user_id, created_at);

create table kernel.plugin_migration (
  plugin text not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz(3) not null default now(),
  primary key (plugin, name)
);
`

export const down = `
drop table kernel.plugin_migration;
drop table kernel.membership;
drop table kernel.tenant;
drop function kernel.tenant_id();
drop table kernel.installation;
`
