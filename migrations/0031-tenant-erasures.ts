// Tenants that were erased, and the receipts that stay. What went is counted in the transaction in which it went.

export const up = `
create table kernel.tenant_erasure (
  tenant_id uuid primary key,
  slug text not null,
  asked_by text not null,
  request_id text not null,
  started_at timestamptz(3) not null default now(),
  finished_at timestamptz(3),
  -- Not jsonb: it keeps the text, over which the digest is.
  receipt json,
  -- SHA-256 of the receipt, in hex.
  digest text check (digest ~ '^[0-9a-f]{64}$')
);

create table kernel.tenant_erasure_part (
  id bigint generated always as identity primary key,
  tenant_id uuid not null,
  -- Schema and table.
  part text not null,
  rows bigint not null check (rows > 0)
);
create index tenant_erasure_part_tenant_idx on kernel.tenant_erasure_part (tenant_id);
`

export const down = `
drop table kernel.tenant_erasure_part;
drop table kernel.tenant_erasure;
`
