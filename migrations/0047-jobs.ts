// How a turn takes jobs: no more at once of a tenant in a module than its plan says, and of each job no more in a time than
// the module declares.

export const up = `
update kernel.plan set limits = jsonb_set(limits, '{job,jobsAtOnce}', '4') where code = 'professional';
update kernel.plan set limits = jsonb_set(limits, '{job,jobsAtOnce}', '8') where code = 'enterprise';

create index task_running_job_idx on kernel.task (tenant_id, queue) where kind = 'job' and state = 'running';
create index task_job_idx on kernel.task (tenant_id, id) where kind = 'job';

-- As kernel.claim_tasks, which it asks when there is room. rates: [{"job", "max", "seconds"}]. Of a job that has been begun
-- too often, all that wait are put aside to the times at which they may be, so that none is looked at again before.
create function kernel.claim_jobs(
  in_queue text, in_tenant uuid, in_module text, states text[], at_once int, rates jsonb, by_worker text, lease_ms int
) returns setof kernel.task language plpgsql as $$
declare
  rate record;
begin
  if not pg_catalog.pg_try_advisory_xact_lock(
    pg_catalog.hashtextextended(in_queue || ' ' || in_tenant || ' ', 45)) then return; end if;
  if at_once <= (
    select count(*) from kernel.task r
     where r.tenant_id = in_tenant and r.queue = in_queue and r.kind = 'job' and r.state = 'running'
  ) then return; end if;
  for rate in
    select d.job, d.max, d.seconds * interval '1 second' as every, b.first
      from pg_catalog.jsonb_to_recordset(rates) as d(job text, max int, seconds int)
     cross join lateral (
       select count(*) as begun, min(s.started_at) as first from kernel.task s
        where s.tenant_id = in_tenant and s.queue = in_queue and s.name = d.job
          and s.started_at > pg_catalog.now() - d.seconds * interval '1 second') b
     where b.begun >= d.max
  loop
    update kernel.task p set ready = false, run_at = rate.first + rate.every * (1 + n.before / rate.max)
      from (
        select w.id, pg_catalog.row_number() over (order by w.priority, w.id) - 1 as before from kernel.task w
         where w.queue = in_queue and w.tenant_id = in_tenant and w.lane = '' and w.state = 'waiting' and w.ready
           and w.name = rate.job and w.run_at <= pg_catalog.now()) n
     where p.tenant_id = in_tenant and p.id = n.id and p.state = 'waiting';
  end loop;
  return query select * from kernel.claim_tasks(in_queue, in_tenant, '', in_module, states, 1, by_worker, lease_ms);
end $$;
`

export const down = `
drop function kernel.claim_jobs;
drop index kernel.task_running_job_idx;
drop index kernel.task_job_idx;
update kernel.plan set limits = limits #- '{job,jobsAtOnce}';
`
