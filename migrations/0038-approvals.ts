// Who has to agree before an action runs: a tenant's chains, what waits on one, everything that happened to it, and who
// stands in for whom while he is away.

export const up = `
create table kernel.approval_chain (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id uuid not null,
  code text not null check (code ~ '^[a-z][a-z0-9-]{0,62}$'),
  title text not null,
  module text not null,
  entity text not null,
  action text not null,
  active boolean not null,
  -- The first that fits is taken.
  rank int not null,
  conditions jsonb not null,
  steps jsonb not null,
  version int not null default 1,
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  updated_at timestamptz(3) not null default now(),
  updated_by text not null,
  primary key (tenant_id, id),
  unique (tenant_id, code)
);
create index approval_chain_action_idx on kernel.approval_chain (tenant_id, module, entity, action);

create table kernel.approval (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id uuid not null,
  module text not null,
  entity text not null,
  record_id uuid not null,
  -- What was approved: a record that has changed since is another.
  record_version int not null,
  action text not null,
  input jsonb not null,
  amount numeric,
  currency text,
  unit text,
  chain text not null,
  -- As they were when it was requested, with the approvers found.
  steps jsonb not null,
  step int not null,
  -- Keys of who may decide at this step.
  waiting text[] not null,
  state text not null check (state in ('open', 'approved', 'rejected', 'returned', 'withdrawn', 'outdated')),
  requested_by text not null,
  requested_at timestamptz(3) not null default now(),
  step_since timestamptz(3) not null default now(),
  remind_at timestamptz(3),
  ended_at timestamptz(3),
  primary key (tenant_id, id)
);
create unique index approval_open_key on kernel.approval (tenant_id, module, entity, record_id, action)
  where state = 'open';
create index approval_waiting_idx on kernel.approval (tenant_id, id) where state = 'open';
create index approval_requester_idx on kernel.approval (tenant_id, requested_by, id);
create index approval_remind_idx on kernel.approval (remind_at) where state = 'open';

-- Append-only for everybody: see the kernel's grants.
create table kernel.approval_event (
  tenant_id uuid not null,
  approval_id uuid not null,
  seq int not null,
  at timestamptz(3) not null default now(),
  actor text not null,
  -- For whom he stood in.
  stands_for text,
  what text not null check
    (what in ('requested', 'approved', 'rejected', 'returned', 'withdrawn', 'outdated', 'reminded')),
  step int not null,
  -- Which of the step's approvers he can count as.
  entries int[] not null default '{}',
  comment text,
  primary key (tenant_id, approval_id, seq),
  foreign key (tenant_id, approval_id) references kernel.approval on delete cascade
);

create table kernel.absence (
  tenant_id uuid not null references kernel.tenant on delete cascade,
  id uuid not null,
  person text not null,
  substitute text not null check (substitute <> person),
  first_day date not null,
  last_day date not null check (last_day >= first_day),
  created_at timestamptz(3) not null default now(),
  created_by text not null,
  primary key (tenant_id, id)
);
create index absence_substitute_idx on kernel.absence (tenant_id, substitute, last_day);

-- A unit of work writes here in its own transaction, and sees its own tenant alone. Who may read memberships is the
-- control plane, which works for all of them.
alter table kernel.approval enable row level security;
create policy tenant on kernel.approval using (
  tenant_id = kernel.tenant_id() or (select has_table_privilege('kernel.membership', 'select')));
alter table kernel.approval_event enable row level security;
create policy tenant on kernel.approval_event using (
  tenant_id = kernel.tenant_id() or (select has_table_privilege('kernel.membership', 'select')));
`

export const down = `
drop table kernel.absence;
drop table kernel.approval_event;
drop table kernel.approval;
drop table kernel.approval_chain;
`
