// Roles as data of a tenant, who has them, and permissions that one person lends another for a while.

export const up = `
create table kernel.role (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id uuid not null,
  name text not null check (char_length(name) between 1 and 120),
  description text not null default '' check (char_length(description) <= 1000),
  rules jsonb not null check (jsonb_typeof(rules) = 'array'),
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  updated_at timestamptz(3) not null default now(),
  updated_by text not null,
  primary key (tenant_id, id)
);
create unique index role_name_key on kernel.role (tenant_id, lower(name));

-- Ends with the membership. A role that somebody has is not deleted.
create table kernel.member_role (
  tenant_id uuid not null,
  user_id text not null,
  role_id uuid not null,
  assigned_at timestamptz(3) not null default now(),
  assigned_by text not null,
  primary key (tenant_id, user_id, role_id),
  foreign key (tenant_id, user_id) references kernel.membership on delete cascade,
  foreign key (tenant_id, role_id) references kernel.role
);
create index member_role_role_idx on kernel.member_role (tenant_id, role_id);

-- Ends with the membership of either.
create table kernel.delegation (
  tenant_id uuid not null,
  id uuid not null,
  lender text not null,
  borrower text not null check (borrower <> lender),
  permissions text[] not null check (cardinality(permissions) between 1 and 100),
  reason text not null default '' check (char_length(reason) <= 500),
  starts_at timestamptz(3) not null,
  ends_at timestamptz(3) not null check (ends_at > starts_at),
  ended_at timestamptz(3),
  ended_by text,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  primary key (tenant_id, id),
  foreign key (tenant_id, lender) references kernel.membership on delete cascade,
  foreign key (tenant_id, borrower) references kernel.membership on delete cascade
);
create index delegation_borrower_idx on kernel.delegation (tenant_id, borrower, ends_at);
create index delegation_lender_idx on kernel.delegation (tenant_id, lender, ends_at);
`

export const down = `
drop table kernel.delegation;
drop table kernel.member_role;
drop table kernel.role;
`
