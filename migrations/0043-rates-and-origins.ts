// How often may be asked, counted for all kernel processes together; what a plan allows of it; and the origins whose pages
// may read a tenant's answers in a browser.

export const up = `
-- Counts of a minute: worth nothing after a crash.
create unlogged table kernel.rate_count (
  name text not null,
  ends_at timestamptz(3) not null,
  count bigint not null,
  primary key (name, ends_at)
);
create index rate_count_ends_at_idx on kernel.rate_count (ends_at);

-- null: as the installation is set.
alter table kernel.plan add column requests_per_minute int check (requests_per_minute > 0);

create table kernel.tenant_cors (
  tenant_id uuid primary key references kernel.tenant on delete cascade,
  origins text[] not null check (cardinality(origins) <= 50),
  version int not null default 1,
  changed_at timestamptz(3) not null default now(),
  changed_by text not null
);
`

export const down = `
drop table kernel.tenant_cors;
alter table kernel.plan drop column requests_per_minute;
drop table kernel.rate_count;
`
