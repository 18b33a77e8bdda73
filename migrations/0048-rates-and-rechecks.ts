// How often a plan lets a tenant's people and keys ask in a minute, beside the tenant itself, and what the operator has set
// for one tenant: null is as the installation is set, 0 any number. And when domains of single sign-on were looked at last.

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

alter table kernel.sso_domain
  add column checked_at timestamptz(3),
  -- Since when the record is not there any more, of a domain that was verified.
  add column failing_since timestamptz(3);
update kernel.sso_domain set checked_at = verified_at;
create index sso_domain_checked_idx on kernel.sso_domain (checked_at) where verified_at is not null;
`

export const down = `
alter table kernel.sso_domain drop column checked_at, drop column failing_since;
drop table kernel.tenant_rate;
update kernel.plan set requests_per_minute = null where (code, requests_per_minute) in (('professional', 240000), ('enterprise', 600000));
alter table kernel.plan drop column user_requests_per_minute, drop column key_requests_per_minute;
`
