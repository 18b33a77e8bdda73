// What happened: the audit trail, written in the transaction of each change and never altered, and the outbox of
// domain events that wait for delivery. Who may write and read them is in the kernel's grants.

export const up = `
create table kernel.audit (
  tenant_id uuid not null,
  id bigint generated always as identity,
  at timestamptz(3) not null default now(),
  actor text not null,
  request_id text not null,
  module text not null,
  entity text not null,
  record_id text not null,
  action text not null,
  before jsonb,
  after jsonb,
  primary key (tenant_id, id)
);
create index audit_record_idx on kernel.audit (tenant_id, module, entity, record_id, id);

create table kernel.outbox (
  tenant_id uuid not null,
  id bigint generated always as identity,
  at timestamptz(3) not null default now(),
  actor text not null,
  request_id text not null,
  module text not null,
  event text not null,
  payload jsonb not null,
  delivered_at timestamptz(3),
  primary key (tenant_id, id)
);
create index outbox_waiting_idx on kernel.outbox (id) where delivered_at is null;
`

export const down = `
drop table kernel.outbox;
drop table kernel.audit;
`
