// Service accounts, the keys of accounts and of people, and what short-lived access tokens need: the keys that sign
// them, the families of refresh tokens, and which tenant a session is confined to.

export const up = `
-- What it may do stands in kernel.membership, under its id: it is a member like a person.
create table kernel.service_account (
  id uuid primary key,
  tenant_id uuid not null references kernel.tenant on delete cascade,
  name text not null check (char_length(name) between 1 and 200),
  description text not null default '' check (char_length(description) <= 1000),
  active boolean not null default true,
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  updated_at timestamptz(3) not null default now(),
  unique (tenant_id, id)
);
create unique index service_account_name_idx on kernel.service_account (tenant_id, lower(name));

-- owner_id is a service account or a person. Of the key itself only a hash is kept.
create table kernel.api_key (
  id text primary key,
  tenant_id uuid not null references kernel.tenant on delete cascade,
  owner_id text not null,
  service_account_id uuid,
  name text not null check (char_length(name) between 1 and 200),
  hash bytea not null check (octet_length(hash) = 32),
  scopes text[] not null check (cardinality(scopes) between 1 and 100),
  networks text[] not null default '{}',
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  expires_at timestamptz(3) not null,
  revoked_at timestamptz(3),
  replaced_by text,
  last_used_at timestamptz(3),
  foreign key (tenant_id, service_account_id) references kernel.service_account (tenant_id, id) on delete cascade,
  check (service_account_id is null or service_account_id::text = owner_id)
);
create index api_key_owner_idx on kernel.api_key (tenant_id, owner_id, id);

create table identity.signing_key (
  id text primary key,
  public_key jsonb not null,
  sealed bytea not null,
  created_at timestamptz(3) not null default now()
);

-- One row for all refresh tokens that come of one exchange: the newest one's hash. Any other of them was used before.
create table identity.refresh_family (
  id text primary key,
  session_id text not null references identity.session ("id") on delete cascade,
  hash bytea not null check (octet_length(hash) = 32),
  tenant_id uuid,
  scopes text[],
  created_at timestamptz(3) not null default now(),
  used_at timestamptz(3)
);
create index refresh_family_session_idx on identity.refresh_family (session_id);

-- A session that a tenant's own identity provider vouched for reaches that tenant and nothing else. tenant_id has no
-- foreign key: identity may move to another database.
create table identity.session_tenant (
  session_id text primary key references identity.session ("id") on delete cascade,
  tenant_id uuid not null
);
`

export const down = `
drop table identity.session_tenant;
drop table identity.refresh_family;
drop table identity.signing_key;
drop table kernel.api_key;
drop table kernel.service_account;
`
