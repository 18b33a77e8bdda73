// Single sign-on by OpenID Connect: a tenant's connection to its identity provider, the e-mail domains it has shown to
// be its own, whom the provider's subjects are here, and sign-ins that are under way.

export const up = `
create table kernel.sso_connection (
  tenant_id uuid primary key references kernel.tenant on delete cascade,
  issuer text not null,
  client_id text not null,
  sealed_secret bytea not null,
  just_in_time boolean not null,
  default_role text not null check (default_role in ('admin', 'member')),
  group_claim text,
  group_roles jsonb not null,
  accept_unmarked_email boolean not null,
  enforced boolean not null,
  version integer not null default 1,
  updated_at timestamptz(3) not null default now(),
  updated_by text not null
);

create table kernel.sso_domain (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  domain text not null,
  challenge text not null,
  verified_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  primary key (tenant_id, domain)
);
-- Many may ask for a domain; one has it.
create unique index sso_domain_verified_idx on kernel.sso_domain (domain) where verified_at is not null;

-- A subject means something beside its issuer alone, and one tenant's issuer nothing in another tenant.
create table kernel.sso_link (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  issuer text not null,
  subject text not null,
  user_id text not null,
  created_at timestamptz(3) not null default now(),
  primary key (tenant_id, issuer, subject)
);
create index sso_link_user_idx on kernel.sso_link (user_id);

create table identity.sso_flow (
  state_hash bytea primary key,
  browser_hash bytea not null,
  tenant_id uuid not null,
  issuer text not null,
  sealed bytea not null,
  return_to text,
  expires_at timestamptz(3) not null
);
create index sso_flow_expires_idx on identity.sso_flow (expires_at);

-- Who has come back from his provider, until his client fetches the session.
create table identity.sso_ticket (
  hash bytea primary key,
  user_id text not null references identity."user" ("id") on delete cascade,
  tenant_id uuid not null,
  expires_at timestamptz(3) not null
);

-- His sessions end with a person who is disabled (0032). Kernel processes keep his keys in memory too.
create function identity.announce_keys() returns trigger language plpgsql as $$
begin
  perform pg_catalog.pg_notify('plinth_config', json_build_object('kind', 'session', 'id', 'key:' || k.id)::text)
    from kernel.api_key k where k.owner_id = new.user_id and k.revoked_at is null;
  return null;
end $$;
create trigger announce_keys after insert or update of disabled_at on identity.person
  for each row execute function identity.announce_keys();
`

export const down = `
drop trigger announce_keys on identity.person;
drop function identity.announce_keys();
drop table identity.sso_ticket;
drop table identity.sso_flow;
drop table kernel.sso_link;
drop table kernel.sso_domain;
drop table kernel.sso_connection;
`
