// What plans and operators raise of the governor limits, and what each tenant has used of each module, by day. Names of
// limits are in the kernel's table (entitlements/governor-limits.ts).

export const up = `
-- { "request": { "queries": 200 }, "job": { ... } }; what is not named stays at the default.
alter table kernel.plan add column limits jsonb not null default '{}';
update kernel.plan set limits = '{"request": {"cpu": 2000, "queries": 400}, "job": {"queries": 1000}}' where code = 'professional';
update kernel.plan set limits = '{"request": {"cpu": 4000, "cpuPerMinute": 120000, "queries": 1000}, "job": {"cpu": 60000, "cpuPerMinute": 120000, "queries": 2000}}' where code = 'enterprise';

create table kernel.limit_override (
  module text not null check (module ~ '^[a-z][a-z0-9]{1,30}$'),
  -- Null: for every tenant.
  tenant_id uuid references kernel.tenant on delete cascade,
  limits jsonb not null,
  unique nulls not distinct (module, tenant_id)
);

create table kernel.usage (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  module text not null check (module ~ '^[a-z][a-z0-9]{1,30}$'),
  day date not null,
  name text not null,
  amount numeric(20) not null,
  primary key (tenant_id, module, day, name)
);
create index usage_day_idx on kernel.usage (day);
`

export const down = `
drop table kernel.usage;
drop table kernel.limit_override;
alter table kernel.plan drop column limits;
`
