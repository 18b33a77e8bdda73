// What a tenant lets a module reach outside, and the secrets it gave it for that. Both end with the module.

export const up = `
create table kernel.module_consent (
  tenant_id uuid not null,
  module text not null,
  http text[] not null,
  changed_at timestamptz(3) not null default now(),
  changed_by text not null,
  primary key (tenant_id, module),
  foreign key (tenant_id, module) references kernel.tenant_module on delete cascade
);

create table kernel.module_secret (
  tenant_id uuid not null,
  module text not null,
  name text not null check (name ~ '^[a-z][A-Za-z0-9]{0,40}$'),
  host text not null,
  sealed bytea not null,
  set_at timestamptz(3) not null default now(),
  set_by text not null,
  primary key (tenant_id, module, name),
  foreign key (tenant_id, module) references kernel.tenant_module on delete cascade
);
`

export const down = `
drop table kernel.module_secret;
drop table kernel.module_consent;
`
