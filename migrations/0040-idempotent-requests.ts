// Requests with an Idempotency-Key, kept for a day: the claim is written in the transaction that does what was asked for,
// and so is its answer; who has claimed is the only one who does it. The claim and the answer are two rows, so that the login
// of the units of work needs to insert and neither to read nor to change them.
// tenant_id is all zeros for requests above tenants; without a foreign key, for what is left of a tenant ends within a day.

export const up = `
create table kernel.idempotent_request (
  tenant_id uuid not null,
  actor text not null,
  route text not null,
  key text not null check (char_length(key) between 1 and 255),
  fingerprint text not null,
  claimed_at timestamptz(3) not null default now(),
  primary key (tenant_id, actor, route, key)
);
create index idempotent_request_claimed_at_idx on kernel.idempotent_request (claimed_at);

-- Without a body when it was too large, or a secret.
create table kernel.idempotent_answer (
  tenant_id uuid not null,
  actor text not null,
  route text not null,
  key text not null,
  status smallint not null,
  headers jsonb not null,
  body text,
  is_whole boolean not null,
  answered_at timestamptz(3) not null default now(),
  primary key (tenant_id, actor, route, key)
);
create index idempotent_answer_answered_at_idx on kernel.idempotent_answer (answered_at);
`

export const down = `
drop table kernel.idempotent_answer;
drop table kernel.idempotent_request;
`
