// How often a plan lets a tenant's people and keys ask in a minute, beside the tenant itself, and what the operator has set
// for one tenant. Null: as the installation is set. 0: any number.

export const up = `
alter table kernel.plan
  add column user_requests_per_minute int check (user_requests_per_minute > 0),
  add column key_requests_per_minute int check (key_requests_per_minute > 0);
update kernel.plan set requests_per_minute = 240000, key_requests_per_minute = 120000
 where code = 'professional' and requests_per_minute is null;
update kernel.plan set requests_per_minute = 600000, key_requests_per_minute = 240000
 where code = 'enterprise' and requests_per_minute is null;

create table kernel.tenant_rate (
  tenant_id uuid primary key references kernel.tenant on delete cascade,
  requests_per_minute int check (requests_per_minute >= 0),
  user_requests_per_minute int check (user_requests_per_minute >= 0),
  key_requests_per_minute int check (key_requests_per_minute >= 0)
);
`

export const down = `
drop table kernel.tenant_rate;
update kernel.plan set requests_per_minute = null where (code, requests_per_minute) in (('professional', 240000), ('enterprise', 600000));
alter table kernel.plan drop column user_requests_per_minute, drop column key_requests_per_minute;
`
