// What the vetting lets through really runs: on PostgreSQL, as a plain role, under row-level security.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { vetSql } from '../vet-sql.ts'
import { ordinaryReports, reportTables } from './ordinary-reports.fixture.ts'

const { admin } = await testDatabase(t)
const role = `plinthtest_reports_${randomBytes(4).toString('hex')}`
const ours = '01912345-0000-7000-8000-00000000000a'
const theirs = '01912345-0000-7000-8000-00000000000b'
const base = `tenant_id uuid not null, id uuid not null default gen_random_uuid(), version int default 1,
  created_at timestamptz default now(), created_by text, updated_at timestamptz default now(), updated_by text`

await admin.query(`
  create role ${role} nologin;
  create schema plugin_ledger;
  create table plugin_ledger.account (${base}, code text, name text, type text, parent uuid, active boolean);
  create table plugin_ledger.journal_entry
    (${base}, number text, date date, description text, reverses uuid, status text);
  create table plugin_ledger.journal_entry_lines (tenant_id uuid not null, journal_entry_id uuid, position int,
    account uuid, debit_amount numeric, debit_currency text, credit_amount numeric, credit_currency text, memo text);
  grant usage on schema plugin_ledger to ${role};
  grant select on all tables in schema plugin_ledger to ${role};`)
for (const table of Object.keys(reportTables)) {
  await admin.query(`
    alter table plugin_ledger.${table} enable row level security, force row level security;
    create policy tenant on plugin_ledger.${table}
      using (tenant_id = nullif(current_setting('plinth.tenant_id', true), '')::uuid);`)
}
for (const [tenant, amount] of [
  [ours, '100.10'],
  [theirs, '999.99'],
]) {
  await admin.query(
    `with a as (insert into plugin_ledger.account (tenant_id, code, name, type, active)
       select $1, code, code, type, true from (values ('1000', 'asset'), ('4000', 'income')) v (code, type)
       returning id, code),
     e as (insert into plugin_ledger.journal_entry (tenant_id, number, date, description, status)
       values ($1, 'JE-2026-00001', '2026-01-15', 'Sale: cash', 'posted') returning id)
     insert into plugin_ledger.journal_entry_lines select $1, e.id, 1, a.id,
       case a.code when '1000' then $2::numeric end, case a.code when '1000' then 'INR' end,
       case a.code when '4000' then $2::numeric end, case a.code when '4000' then 'INR' end, 'memo' from a, e`,
    [tenant, amount],
  )
}
t.teardown(async () => {
  await admin.query(`reset role; drop owned by ${role}; drop role ${role}`)
})
await admin.query(`set role ${role}; set plinth.tenant_id = '${ours}'`)

const vetted = (text: string) =>
  vetSql(text, { schema: 'plugin_ledger', tables: reportTables, maxRows: 1000 }).text

t.test('every ordinary report runs and gives the same rows as the text it was made from', async (t) => {
  for (const [name, { text, values }] of Object.entries(ordinaryReports)) {
    await admin.query('set search_path to pg_catalog')
    const { rows } = await admin.query(vetted(text), [...values])
    await admin.query('set search_path to plugin_ledger')
    t.same(rows, (await admin.query(text, [...values])).rows, name)
  }
})

t.test('a vetted report sees the rows of its tenant only', async (t) => {
  await admin.query('set search_path to pg_catalog')
  const { text, values } = ordinaryReports.trialBalance
  const { rows } = await admin.query(vetted(text), [...values])
  t.match(rows, [
    { code: '1000', currency: 'INR', debit: '100.10', credit: '0', balance: '100.10' },
    { code: '4000', currency: 'INR', debit: '0', credit: '100.10', balance: '-100.10' },
  ])
  t.equal(rows.length, 2)
})

t.test('rows beyond the bound stay on the server', async (t) => {
  for (const [limit, values, rows] of [
    ['', [], 1001],
    ['limit all', [], 1001],
    ['limit $1', [null], 1001],
    ['limit $1', ['7'], 7],
    ['limit 5000', [], 1001],
  ] as const) {
    const text = vetted(`select n from generate_series(1, 2000) as n ${limit}`)
    t.equal((await admin.query(text, [...values])).rows.length, rows, limit)
  }
})
