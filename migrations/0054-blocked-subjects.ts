// A record whose first event fails again and again may have thousands behind it: a claim that sees only those puts them aside
// and looks further, so that what waits behind them, of other records, does not wait for them.

export const up = `
create or replace function kernel.claim_tasks(
  in_queue text, in_tenant uuid, in_lane text, in_module text, states text[], most int, by_worker text, lease_ms int
) returns setof kernel.task language plpgsql as $$
begin
  if not pg_catalog.pg_try_advisory_xact_lock(
    pg_catalog.hashtextextended(in_queue || ' ' || in_tenant || ' ' || in_lane, 45)) then return; end if;
  if not exists (select from kernel.tenant t where t.id = in_tenant and t.state = any (states)) then return; end if;
  if in_module is not null and not exists (
    select from kernel.tenant_module m where m.tenant_id = in_tenant and m.module = in_module) then return; end if;
  if exists (
    select from kernel.task_pause p
     where (p.tenant_id is null or p.tenant_id = in_tenant) and (p.module is null or p.module = in_module)
  ) then return; end if;
  for round in 1..4 loop
    return query
      with seen as (
        select s.id, s.priority, s.subject, s.run_at from kernel.task s
         where s.queue = in_queue and s.tenant_id = in_tenant and s.lane = in_lane and s.state = 'waiting' and s.ready
         order by s.priority, s.id limit most << (2 * round)
         for update skip locked
      ), judged as (
        select s.id, s.priority, case
                 when s.run_at > pg_catalog.now() then s.run_at
                 when e.state = 'running' then pg_catalog.now() + interval '1 second'
                 when e.state = 'waiting' then greatest(e.run_at, pg_catalog.now())
               end as not_before
          from seen s
          left join lateral (
            select b.state, b.run_at from kernel.task b
             where b.queue = in_queue and b.tenant_id = in_tenant and b.lane = in_lane and b.subject = s.subject
               and b.id < s.id and (b.state = 'running' or b.state = 'waiting' and (not b.ready or b.run_at > pg_catalog.now()))
             limit 1) e on true
      ), put_aside as (
        update kernel.task p set ready = false, run_at = j.not_before
          from judged j where p.tenant_id = in_tenant and p.id = j.id and j.not_before is not null
      )
      update kernel.task c
         set state = 'running', attempt = c.attempt + 1, worker = by_worker,
             lease_until = pg_catalog.now() + lease_ms * interval '1 millisecond',
             -- Of events nobody asks how many were started when, and the index costs.
             started_at = case when c.kind = 'event' then null else pg_catalog.now() end
        from (select j.id from judged j where j.not_before is null order by j.priority, j.id limit most) n
       where c.tenant_id = in_tenant and c.id = n.id
      returning c.*;
    exit when found or not exists (
      select from kernel.task w
       where w.queue = in_queue and w.tenant_id = in_tenant and w.lane = in_lane and w.state = 'waiting' and w.ready);
  end loop;
end $$;
`

export const down = `
create or replace function kernel.claim_tasks(
  in_queue text, in_tenant uuid, in_lane text, in_module text, states text[], most int, by_worker text, lease_ms int
) returns setof kernel.task language plpgsql as $$
begin
  if not pg_catalog.pg_try_advisory_xact_lock(
    pg_catalog.hashtextextended(in_queue || ' ' || in_tenant || ' ' || in_lane, 45)) then return; end if;
  if not exists (select from kernel.tenant t where t.id = in_tenant and t.state = any (states)) then return; end if;
  if in_module is not null and not exists (
    select from kernel.tenant_module m where m.tenant_id = in_tenant and m.module = in_module) then return; end if;
  if exists (
    select from kernel.task_pause p
     where (p.tenant_id is null or p.tenant_id = in_tenant) and (p.module is null or p.module = in_module)
  ) then return; end if;
  return query
    with seen as (
      select s.id, s.priority, s.subject, s.run_at from kernel.task s
       where s.queue = in_queue and s.tenant_id = in_tenant and s.lane = in_lane and s.state = 'waiting' and s.ready
       order by s.priority, s.id limit most * 4
       for update skip locked
    ), judged as (
      select s.id, s.priority, case
               when s.run_at > pg_catalog.now() then s.run_at
               when e.state = 'running' then pg_catalog.now() + interval '1 second'
               when e.state = 'waiting' then greatest(e.run_at, pg_catalog.now())
             end as not_before
        from seen s
        left join lateral (
          select b.state, b.run_at from kernel.task b
           where b.queue = in_queue and b.tenant_id = in_tenant and b.lane = in_lane and b.subject = s.subject
             and b.id < s.id and (b.state = 'running' or b.state = 'waiting' and (not b.ready or b.run_at > pg_catalog.now()))
           limit 1) e on true
    ), put_aside as (
      update kernel.task p set ready = false, run_at = j.not_before
        from judged j where p.tenant_id = in_tenant and p.id = j.id and j.not_before is not null
    )
    update kernel.task c
       set state = 'running', attempt = c.attempt + 1, worker = by_worker,
           lease_until = pg_catalog.now() + lease_ms * interval '1 millisecond',
           -- Of events nobody asks how many were started when, and the index costs.
           started_at = case when c.kind = 'event' then null else pg_catalog.now() end
      from (select j.id from judged j where j.not_before is null order by j.priority, j.id limit most) n
     where c.tenant_id = in_tenant and c.id = n.id
    returning c.*;
end $$;
`
