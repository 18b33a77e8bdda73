// Where a tenant wants to be told of its events, and what came of each attempt. What there is to deliver are rows of
// kernel.task: of kind 'webhook', in the queue 'webhooks', in the lane that is the endpoint's id.

export const up = `
create table kernel.webhook_endpoint (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id uuid not null,
  url text not null,
  description text not null,
  -- Names of events, with '.*' for all that begins so, and '*' for all.
  events text[] not null,
  state text not null check (state in ('enabled', 'disabled')),
  -- By a person, because nothing arrived for days, or because the receiver says that he is gone.
  disabled_reason text check (disabled_reason in ('by-hand', 'failing', 'gone')),
  disabled_at timestamptz(3),
  -- Sealed. The old one signs too, for a while.
  secret bytea not null,
  old_secret bytea,
  old_secret_until timestamptz(3),
  -- Since the last attempt that succeeded.
  failures int not null default 0,
  failing_since timestamptz(3),
  -- Before that nothing is tried: what fails again and again is not to take others' turns.
  held_until timestamptz(3),
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  updated_at timestamptz(3) not null default now(),
  updated_by text not null,
  primary key (tenant_id, id),
  check ((state = 'enabled') = (disabled_reason is null))
);

create table kernel.webhook_attempt (
  tenant_id uuid not null,
  id bigint generated always as identity,
  endpoint_id uuid not null,
  task_id bigint not null,
  at timestamptz(3) not null default now(),
  duration_ms int not null,
  -- Of the answer; null when there was none.
  status int,
  delivered boolean not null,
  -- In words, as the tenant may read it.
  error text,
  -- How the body of the answer begins.
  response text,
  primary key (tenant_id, id),
  foreign key (tenant_id, endpoint_id) references kernel.webhook_endpoint on delete cascade
);
create index webhook_attempt_task_idx on kernel.webhook_attempt (tenant_id, endpoint_id, task_id, id);
create index webhook_attempt_at_idx on kernel.webhook_attempt (at);

-- The deliveries of one endpoint, the newest first.
create index task_webhook_idx on kernel.task (tenant_id, lane, id) where kind = 'webhook';
`

export const down = `
drop index kernel.task_webhook_idx;
drop table kernel.webhook_attempt;
drop table kernel.webhook_endpoint;
`
