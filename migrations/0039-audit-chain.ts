// The audit trail says for whom and from where, and is sealed: committed rows are linked in the order of their turns,
// each seal over the one before. What a turn and a seal are is in docs/decisions/0040.

export const up = `
-- Added to the number of a transaction. A database that was restored into another server counts transactions anew: the
-- start then replaces this function, so that turns go on (see bootstrap/audit-turns.ts).
create function kernel.audit_offset() returns bigint language sql stable parallel safe as 'select 0::bigint';

alter table kernel.audit
  -- Whose right was used, when it is not the actor's own.
  add column on_behalf_of text,
  -- With what he came: session, access (a token of one), or key: and its id.
  add column via text,
  add column address text,
  add column agent text,
  add column trace_id text,
  add column turn bigint not null default 0;
-- Transactions below the oldest one under way have ended: what has a lower turn than that is all there will ever be.
alter table kernel.audit alter column turn
  set default (pg_catalog.pg_current_xact_id()::text::bigint + kernel.audit_offset());
alter table kernel.audit drop constraint audit_pkey, add primary key (tenant_id, turn, id);
create index audit_turn_idx on kernel.audit (turn);

create table kernel.audit_seal (
  tenant_id uuid not null,
  seq bigint not null check (seq > 0),
  -- It covers the tenant's rows with from_turn <= turn < to_turn.
  from_turn bigint not null,
  to_turn bigint not null check (to_turn > from_turn),
  rows bigint not null check (rows > 0),
  first_at timestamptz(3) not null,
  last_at timestamptz(3) not null,
  previous bytea not null,
  hash bytea not null,
  sealed_at timestamptz(3) not null default now(),
  primary key (tenant_id, seq)
);
create index audit_seal_turn_idx on kernel.audit_seal (to_turn);

-- Where a chain begins whose older part was purged: the last seal that went, signed.
create table kernel.audit_checkpoint (
  tenant_id uuid not null,
  seq bigint not null,
  to_turn bigint not null,
  hash bytea not null,
  purged_rows bigint not null,
  mac bytea not null,
  purged_at timestamptz(3) not null default now(),
  primary key (tenant_id, seq)
);
create index audit_checkpoint_turn_idx on kernel.audit_checkpoint (to_turn);

alter table kernel.plan add column audit_days int not null default 365 check (audit_days >= 30);
update kernel.plan set audit_days = 90 where code = 'starter';
update kernel.plan set audit_days = 180 where code = 'growth';
update kernel.plan set audit_days = 2555 where code = 'enterprise';

-- The only way to take rows from the trail, for the kernel login as for everybody: whole seals from the beginning, and
-- none that is younger than the tenant's plan says. Without a plan (the installation's own trail, tenants that are
-- gone) two years.
create function kernel.purge_audit(tenant uuid, upto bigint) returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $function$
declare
  kept int := coalesce((select p.audit_days from kernel.tenant t join kernel.plan p on p.code = t.plan
                         where t.id = tenant), 730);
  horizon bigint;
  gone bigint;
begin
  select c.to_turn into horizon from kernel.audit_checkpoint c
    join kernel.audit_seal s on s.tenant_id = c.tenant_id and s.seq = c.seq and s.to_turn = c.to_turn
   where c.tenant_id = tenant and c.seq = upto;
  if horizon is null or exists (
    select from kernel.audit_seal s
     where s.tenant_id = tenant and s.seq <= upto and s.sealed_at > now() - make_interval(days => kept))
  then raise exception 'this part of the audit trail is not due to go' using errcode = '42501'; end if;
  delete from kernel.audit a where a.tenant_id = tenant and a.turn < horizon;
  get diagnostics gone = row_count;
  delete from kernel.audit_seal s where s.tenant_id = tenant and s.seq <= upto;
  delete from kernel.audit_checkpoint c where c.tenant_id = tenant and c.seq < upto;
  return gone;
end
$function$;
`

export const down = `
drop function kernel.purge_audit(uuid, bigint);
alter table kernel.plan drop column audit_days;
drop table kernel.audit_checkpoint;
drop table kernel.audit_seal;
drop index kernel.audit_turn_idx;
alter table kernel.audit drop constraint audit_pkey, add primary key (tenant_id, id);
alter table kernel.audit drop column turn, drop column trace_id, drop column agent, drop column address,
  drop column via, drop column on_behalf_of;
drop function kernel.audit_offset();
`
