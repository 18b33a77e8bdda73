// Reports such as a finance plugin has, which the vetting must accept and PostgreSQL must run.

const base = ['id', 'version', 'created_at', 'created_by', 'updated_at', 'updated_by']

export const reportTables = {
  account: [...base, 'code', 'name', 'type', 'parent', 'active'],
  journal_entry: [...base, 'number', 'date', 'description', 'reverses', 'status'],
  journal_entry_lines: [
    'journal_entry_id',
    'position',
    'account',
    'debit_amount',
    'debit_currency',
    'credit_amount',
    'credit_currency',
    'memo',
  ],
}

export interface OrdinaryReport {
  readonly text: string
  readonly values: readonly unknown[]
}

const report = (text: string, ...values: unknown[]): OrdinaryReport => ({ text, values })

export const ordinaryReports = {
  trialBalance: report(
    `with posted as (
       select l.account, coalesce(l.debit_currency, l.credit_currency) as currency,
              sum(coalesce(l.debit_amount, 0)) as debit, sum(coalesce(l.credit_amount, 0)) as credit
         from journal_entry_lines l
         join journal_entry e on e.id = l.journal_entry_id
        where e.status = 'posted' and e.date <= $1
        group by l.account, coalesce(l.debit_currency, l.credit_currency)
     )
     select a.id, a.code, a.name, a.type, p.currency, p.debit::text as debit, p.credit::text as credit,
            (p.debit - p.credit)::text as balance
       from posted p join account a on a.id = p.account
      order by a.code, p.currency`,
    '2026-03-31',
  ),
  runningBalance: report(
    `select e.date, e.number, l.memo,
            sum(coalesce(l.debit_amount, 0) - coalesce(l.credit_amount, 0))
              over (partition by l.account order by e.date, e.id, l.position
                    rows between unbounded preceding and current row) as balance
       from journal_entry e join journal_entry_lines l on l.journal_entry_id = e.id
      where l.account = $1::uuid and e.date between $2 and $3
      order by e.date, e.id, l.position`,
    '01912345-0000-7000-8000-000000000001',
    '2026-01-01',
    '2026-12-31',
  ),
  monthlyTotals: report(
    `select date_trunc('month', e.date)::date as month, to_char(e.date, 'YYYY-MM') as label,
            count(*) as entries, count(distinct l.account) as accounts,
            sum(l.debit_amount) filter (where l.debit_amount > 0) as debit
       from journal_entry as e left join journal_entry_lines as l on l.journal_entry_id = e.id
      group by 1, 2 having count(*) > 0 order by month desc nulls last limit 24 offset $1`,
    0,
  ),
  ageing: report(
    `select a.code,
            sum(case when age.days <= 30 then age.open else 0 end) as current,
            sum(case when age.days between 31 and 60 then age.open else 0 end) as late,
            sum(case when age.days > 60 then age.open end) as very_late
       from (select l.account, $1::date - e.date as days, coalesce(l.debit_amount, 0) as open
               from journal_entry e inner join journal_entry_lines l on (l.journal_entry_id = e.id)) as age
       join account a on a.id = age.account
      group by a.code order by a.code`,
    '2026-06-30',
  ),
  accountTree: report(
    `with recursive tree (id, code, depth, path) as (
       select id, code, 0, array[code] from account where parent is null
       union all
       select a.id, a.code, t.depth + 1, t.path || a.code
         from account a join tree t on a.parent = t.id where t.depth < 20
     )
     select id, code, depth, array_to_string(path, ' / ') as path from tree order by path`,
  ),
  everyMonth: report(
    `select m.month::date as month, coalesce(sum(l.credit_amount), 0) as credit
       from generate_series($1::date, $2::date, interval '1 month') as m(month)
       left join journal_entry e on e.date >= m.month and e.date < m.month + interval '1 month'
       left join journal_entry_lines l on l.journal_entry_id = e.id
      group by m.month order by m.month`,
    '2026-01-01',
    '2026-12-01',
  ),
  ranked: report(
    `select * from (
       select a.code, a.name, rank() over w as place, row_number() over (order by a.code) as line,
              lag(a.code, 1) over w as previous
         from account a window w as (partition by a.type order by a.code)
     ) ranked where place <= $1`,
    3,
  ),
  rollup: report(
    `select a.type, a.code, grouping(a.code) as is_total, sum(l.debit_amount) as debit
       from account a join journal_entry_lines l on l.account = a.id
      group by rollup (a.type, a.code) order by 1 nulls last, 2 nulls last`,
  ),
  unused: report(
    `select code from account a
      where not exists (select 1 from journal_entry_lines l where l.account = a.id)
        and a.id not in (select parent from account where parent is not null)
        and (lower(a.name) like '%' || $1 || '%' or a.name ilike $2) and a.active is true`,
    'bank',
    'cash%',
  ),
  latestPerAccount: report(
    `select distinct on (a.id) a.code, last.date, last.memo
       from account a
       cross join lateral (
         select e.date, l.memo from journal_entry_lines l join journal_entry e on e.id = l.journal_entry_id
          where l.account = a.id order by e.date desc limit 1
       ) last
      order by a.id, last.date desc`,
  ),
  openAndClosed: report(
    `select 'open' as kind, count(*) from journal_entry where status = 'draft'
     union all select 'closed', count(*) from journal_entry where status <> 'draft'
     except select null::text, 0 order by kind`,
  ),
  byYear: report(
    `select extract(year from e.date)::int as year, extract(quarter from e.date) as quarter,
            string_agg(distinct e.number, ', ' order by e.number) as numbers,
            array_agg(e.id order by e.date) as ids, min(e.date), max(e.date + 1), avg(l.debit_amount)::numeric(18, 2)
       from journal_entry e join journal_entry_lines l on l.journal_entry_id = e.id
      where e.status = any($1) and e.date >= current_date - make_interval(years => 10)
      group by year, quarter`,
    ['posted', 'draft'],
  ),
  spread: report(
    `select percentile_cont(0.5) within group (order by debit_amount) as median, round(avg(debit_amount), 2),
            greatest(max(debit_amount), 0) as most, nullif(min(debit_amount), 0) as least,
            json_agg(json_build_object('memo', memo, 'debit', debit_amount)) as lines
       from journal_entry_lines where debit_amount is distinct from credit_amount`,
  ),
  valueList: report(
    `select v.type, v.sign, count(a.id) from (values ('asset', 1), ('income', -1)) as v(type, sign)
       left join account a on a.type = v.type group by v.type, v.sign order by v.type`,
  ),
  times: report(
    `select (e.created_at at time zone 'Asia/Kolkata')::date as day, count(*),
            trim(both ' ' from split_part(e.description, ':', 1)) as topic, left(e.number, 2) as series,
            position('-' in e.number), substring(e.number from 4 for 4) as year, -e.version as minus
       from journal_entry e where (e.date, e.number) > ($1, $2)
      group by 1, e.description, e.number, e.version`,
    '2026-01-01',
    'JE-2026-00001',
  ),
} satisfies Record<string, OrdinaryReport>
