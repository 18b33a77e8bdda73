// The key that the tenant setting of a session is signed with (PLINTH_SIGNED_TENANT). No login but its owner may read
// it; kernel.tenant_id() does, with the owner's rights.

export const up = `
create table kernel.tenant_key (
  only_one boolean primary key default true check (only_one),
  key bytea not null check (octet_length(key) = 32)
);
`

export const down = `
create or replace function kernel.tenant_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('plinth.tenant_id', true), '')::uuid;
drop table kernel.tenant_key;
`
