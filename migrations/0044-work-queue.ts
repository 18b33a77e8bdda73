// Work for later: what each subscriber has to do about an event, jobs, and what goes to webhooks. One row is one thing to
// do; that it is done commits with what it did. BullMQ carries turns to do such work, and no work itself, so that what is
// committed here is done whatever becomes of the queue's store.

export const up = `
alter table kernel.outbox rename column delivered_at to dispatched_at;
alter table kernel.outbox
  -- Of the module that told it: its contract is the payload's schema.
  add column version text,
  -- The record it is about, as the payload names it: events of one subject reach a subscriber in their order.
  add column subject text,
  -- How many events led to this one.
  add column depth smallint not null default 0,
  -- In which order the dispatcher saw it, without gaps that are filled later: what a stream goes on after.
  add column position bigint;
create unique index outbox_position_key on kernel.outbox (tenant_id, position);
-- What a plan no longer keeps.
create index outbox_at_idx on kernel.outbox (at) where dispatched_at is not null;
create sequence kernel.outbox_position;

create table kernel.task (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id bigint generated always as identity,
  kind text not null check (kind in ('event', 'job', 'webhook')),
  -- Whose turns do it: 'events.<module>', 'jobs.<module>', 'webhooks'. A lane is a tenant's part of a queue; a
  -- webhook's endpoint is a lane of its own.
  queue text not null,
  lane text not null default '',
  -- Of an event: its full name, 'oms.order.shipped'. Of a job: its key in the module.
  module text not null,
  name text not null,
  event_id bigint,
  input jsonb,
  -- Within a lane one after the other; null: in any order.
  subject text,
  unique_key text,
  -- The lowest first.
  priority smallint not null default 0,
  depth smallint not null default 0,
  state text not null default 'waiting'
    check (state in ('waiting', 'running', 'done', 'dead', 'cancelled', 'skipped')),
  attempt int not null default 0,
  attempts_max int not null,
  run_at timestamptz(3) not null default now(),
  -- It belongs to a process that says again and again that it is alive.
  lease_until timestamptz(3),
  worker text,
  cancel_asked_at timestamptz(3),
  actor text not null,
  on_behalf_of text,
  request_id text not null,
  traceparent text,
  -- 0 to 1.
  progress real,
  progress_note text,
  result jsonb,
  -- Of the last attempt that failed: code, message, at.
  error jsonb,
  created_at timestamptz(3) not null default now(),
  started_at timestamptz(3),
  ended_at timestamptz(3),
  primary key (tenant_id, id)
);
create index task_waiting_idx on kernel.task (queue, tenant_id, lane, priority, id) where state = 'waiting';
create index task_subject_idx on kernel.task (queue, tenant_id, lane, subject, id)
  where state in ('waiting', 'running') and subject is not null;
create index task_lease_idx on kernel.task (lease_until) where state = 'running';
create index task_ended_idx on kernel.task (ended_at) where ended_at is not null;
create index task_dead_idx on kernel.task (tenant_id, id) where state = 'dead';
create index task_started_idx on kernel.task (tenant_id, queue, name, started_at) where started_at is not null;
create unique index task_event_key on kernel.task (tenant_id, event_id, queue, lane) where event_id is not null;
create unique index task_unique_key on kernel.task (tenant_id, queue, name, unique_key)
  where unique_key is not null and state in ('waiting', 'running');

-- The data login writes in its unit of work, for its own tenant: jobs that are enqueued, and that a task is done.
alter table kernel.task enable row level security;
create policy tenant on kernel.task using (
  tenant_id = kernel.tenant_id() or (select has_table_privilege('kernel.membership', 'select')));

-- What an operator holds back: one module, one tenant, or one in the other; a null means all.
create table kernel.task_pause (
  id uuid primary key,
  tenant_id uuid references kernel.tenant on delete cascade,
  module text,
  reason text,
  paused_by text not null,
  paused_at timestamptz(3) not null default now()
);
create unique index task_pause_key on kernel.task_pause (tenant_id, module) nulls not distinct;

-- When a tenant's scheduled jobs are due next.
create table kernel.job_schedule (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  module text not null,
  job text not null,
  pattern text not null,
  time_zone text not null,
  next_at timestamptz(3) not null,
  primary key (tenant_id, module, job)
);
create index job_schedule_next_idx on kernel.job_schedule (next_at);

-- Since when a tenant is without a module that it had: what it missed meanwhile is delivered when it has it again.
create table kernel.module_absence (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  module text not null,
  since timestamptz(3) not null default now(),
  primary key (tenant_id, module)
);
`

export const down = `
drop table kernel.module_absence;
drop table kernel.job_schedule;
drop table kernel.task_pause;
drop table kernel.task;
drop sequence kernel.outbox_position;
drop index kernel.outbox_position_key;
drop index kernel.outbox_at_idx;
alter table kernel.outbox drop column position, drop column depth, drop column subject, drop column version;
alter table kernel.outbox rename column dispatched_at to delivered_at;
`
