// Which modules a tenant has switched on, and what it has set in them. Settings outlive switching off.

export const up = `
create table kernel.tenant_module (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  module text not null check (module ~ '^[a-z][a-z0-9]{1,30}$'),
  enabled_at timestamptz(3) not null default now(),
  enabled_by text not null,
  primary key (tenant_id, module)
);

create table kernel.module_setting (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  module text not null check (module ~ '^[a-z][a-z0-9]{1,30}$'),
  settings jsonb not null,
  primary key (tenant_id, module)
);
`

export const down = `
drop table kernel.module_setting;
drop table kernel.tenant_module;
`
