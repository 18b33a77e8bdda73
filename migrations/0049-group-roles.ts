// Groups of a tenant's identity provider and what they give here: which roles of a member came from the provider, what
// it said last of his groups, and the groups that its directory keeps in step (SCIM).

export const up = `
alter table kernel.member_role
  add column origin text not null default 'hand' check (origin in ('hand', 'provider'));
-- Of role_ids those that came from the provider.
alter table kernel.inactive_member add column provider_role_ids uuid[] not null default '{}';
-- The groups that were mapped to anything when he signed in last.
alter table kernel.sso_link add column groups text[] not null default '{}';

create table kernel.scim_group (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id uuid not null,
  display_name text not null check (char_length(display_name) between 1 and 200),
  external_id text check (char_length(external_id) <= 255),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (tenant_id, id)
);
create unique index scim_group_name_key on kernel.scim_group (tenant_id, lower(display_name));
create unique index scim_group_external_key on kernel.scim_group (tenant_id, external_id);

-- Members and those who are deactivated, so that they are in their groups when they come back.
create table kernel.scim_group_member (
  tenant_id uuid not null,
  group_id uuid not null,
  user_id text not null,
  primary key (tenant_id, group_id, user_id),
  foreign key (tenant_id, group_id) references kernel.scim_group on delete cascade,
  foreign key (user_id) references identity."user" ("id") on delete cascade
);
create index scim_group_member_user_idx on kernel.scim_group_member (tenant_id, user_id);
`

export const down = `
drop table kernel.scim_group_member;
drop table kernel.scim_group;
alter table kernel.sso_link drop column groups;
alter table kernel.inactive_member drop column provider_role_ids;
alter table kernel.member_role drop column origin;
`
