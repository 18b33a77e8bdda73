// Separation of duties: pairs of permissions that do not meet in one person, or on one record.

export const up = `
create table kernel.duty (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id uuid not null,
  title text not null check (char_length(title) between 1 and 200),
  first text not null,
  second text not null check (second <> first),
  within text not null check (within in ('person', 'record')),
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  primary key (tenant_id, id)
);
create unique index duty_pair_key
  on kernel.duty (tenant_id, within, least(first, second), greatest(first, second));
`

export const down = `
drop table kernel.duty;
`
