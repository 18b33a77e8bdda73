// What a tenant is told to be (its state), where it lives (locale, time zone, country), which host names it has proved to
// be its own, and which tenant a person enters when nothing names one.

export const up = `
alter table kernel.tenant
  add column state text not null default 'active'
    check (state in ('active', 'trialing', 'past_due', 'read_only', 'suspended', 'closing', 'closed')),
  add column state_since timestamptz(3) not null default now(),
  add column state_reason text check (char_length(state_reason) <= 500),
  -- What a tenant that is closing goes back to.
  add column state_before text,
  add column erase_after timestamptz(3),
  add column locale text not null default 'en' check (char_length(locale) <= 64),
  add column time_zone text not null default 'UTC' check (char_length(time_zone) <= 64),
  add column country text check (country ~ '^[A-Z]{2}$'),
  add column company text check (char_length(company) between 1 and 200),
  add column version integer not null default 1;
create index tenant_state_idx on kernel.tenant (state, id);

create table kernel.default_tenant (
  user_id text primary key,
  tenant_id uuid not null references kernel.tenant on delete cascade
);

create table kernel.tenant_domain (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  domain text not null check (domain ~ '^[a-z0-9.-]{1,253}$'),
  challenge text not null,
  added_at timestamptz(3) not null default now(),
  added_by text not null,
  verified_at timestamptz(3),
  checked_at timestamptz(3),
  -- Since when the record is not there any more, of a domain that was verified.
  failing_since timestamptz(3),
  primary key (tenant_id, domain)
);
-- Many may say that a domain is theirs. One has shown it.
create unique index tenant_domain_verified_key on kernel.tenant_domain (domain) where verified_at is not null;
create index tenant_domain_checked_idx on kernel.tenant_domain (checked_at) where verified_at is not null;
`

export const down = `
drop table kernel.tenant_domain;
drop table kernel.default_tenant;
alter table kernel.tenant
  drop column state, drop column state_since, drop column state_reason, drop column state_before,
  drop column erase_after, drop column locale, drop column time_zone, drop column country, drop column company,
  drop column version;
`
