// Whether the books, the stock and the orders of a tenant agree, asked of the database itself: what must be so however
// often processes were killed meanwhile.
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

interface Check {
  readonly what: string
  /** Rows are what is wrong. $1 is the tenant. */
  readonly sql: string
}

const lines = `(select order_id, item, sum(quantity) as quantity from plugin_oms.order_lines
  where tenant_id = $1 group by order_id, item)`
const costEntries = `(select * from plugin_finance.journal_entry where tenant_id = $1 and description like 'Cost of goods of %')`

const checks: readonly Check[] = [
  {
    what: 'debit and credit differ',
    sql: `select coalesce(debit_currency, credit_currency) as currency
            from plugin_finance.journal_entry_lines where tenant_id = $1
           group by journal_entry_id, coalesce(debit_currency, credit_currency)
          having sum(coalesce(debit_amount, 0)) <> sum(coalesce(credit_amount, 0))`,
  },
  {
    what: 'a shipped order without exactly one posted entry of its cost',
    sql: `select o.number, count(e.id) from plugin_oms.order o
            left join ${costEntries} e on e.reference = o.number and e.status = 'posted'
           where o.tenant_id = $1 and o.status = 'shipped' and o.cost_amount > 0
           group by o.id, o.number, o.cost_entry
          having count(e.id) <> 1 or min(e.id::text) is distinct from o.cost_entry::text`,
  },
  {
    what: 'an entry of a cost without a shipped order, or of another amount',
    sql: `select e.number from ${costEntries} e
            left join plugin_oms.order o on o.tenant_id = $1 and o.cost_entry = e.id and o.status = 'shipped'
           where (select sum(l.debit_amount) from plugin_finance.journal_entry_lines l
                   where l.tenant_id = $1 and l.journal_entry_id = e.id) is distinct from o.cost_amount`,
  },
  {
    what: 'a promise to an order that is not confirmed, or less or more than it wants',
    sql: `with promised as (select "order", item, sum(reserved) as quantity from plugin_oms.stock_move
                             where tenant_id = $1 and "order" is not null group by "order", item)
          select o.id, o.status from plugin_oms.order o join ${lines} l on l.order_id = o.id
            left join promised p on p."order" = o.id and p.item = l.item
           where o.tenant_id = $1
             and coalesce(p.quantity, 0) <> case when o.status = 'confirmed' then l.quantity else 0 end`,
  },
  {
    what: 'goods that left for an order that is not shipped, or less or more than it wants',
    sql: `with gone as (select "order", item, -sum(on_hand) as quantity from plugin_oms.stock_move
                         where tenant_id = $1 and "order" is not null group by "order", item)
          select o.id, o.status from plugin_oms.order o join ${lines} l on l.order_id = o.id
            left join gone g on g."order" = o.id and g.item = l.item
           where o.tenant_id = $1
             and coalesce(g.quantity, 0) <> case when o.status = 'shipped' then l.quantity else 0 end`,
  },
  {
    what: 'a stock that is not what its moves come to, or promises what is not there',
    sql: `with moved as (select stock, sum(on_hand) as on_hand, sum(reserved) as reserved, sum(value_amount) as value
                          from plugin_oms.stock_move where tenant_id = $1 group by stock)
          select s.item, s.on_hand, s.reserved, s.value_amount from plugin_oms.stock s
            left join moved m on m.stock = s.id
           where s.tenant_id = $1
             and (m.on_hand is distinct from s.on_hand or m.reserved is distinct from s.reserved
               or m.value is distinct from s.value_amount or s.moved_on_hand <> s.on_hand
               or s.moved_reserved <> s.reserved or s.reserved < 0 or s.reserved > s.on_hand
               or s.value_amount < 0 or (s.on_hand = 0 and s.value_amount <> 0))`,
  },
  {
    what: 'the inventory account is not what the stock is worth',
    sql: `with account as (select (settings->>'inventoryAccount')::uuid as id from kernel.module_setting
                            where tenant_id = $1 and module = 'oms'),
            booked as (select coalesce(sum(coalesce(l.debit_amount, 0) - coalesce(l.credit_amount, 0)), 0) as amount
                         from plugin_finance.journal_entry_lines l join account a on a.id = l.account
                         join plugin_finance.journal_entry e on e.tenant_id = $1 and e.id = l.journal_entry_id
                        where l.tenant_id = $1 and e.status = 'posted'),
            worth as (select coalesce(sum(value_amount), 0) as amount from plugin_oms.stock where tenant_id = $1)
          select booked.amount as booked, worth.amount as worth from booked, worth
           where booked.amount <> worth.amount`,
  },
  {
    what: 'a posted invoice without a posted entry of its total',
    sql: `select i.number, i.total_amount from plugin_finance.invoice i
            left join plugin_finance.journal_entry e on e.tenant_id = $1 and e.id = i.entry and e.status = 'posted'
           where i.tenant_id = $1 and i.status = 'posted'
             and (e.id is null or i.total_amount is distinct from
                   (select sum(l.debit_amount) from plugin_finance.journal_entry_lines l
                     where l.tenant_id = $1 and l.journal_entry_id = e.id))`,
  },
  {
    what: 'an invoice whose total is not what its lines come to',
    sql: `select i.id, i.total_amount from plugin_finance.invoice i
           where i.tenant_id = $1 and i.total_amount <>
                 (select sum(round(l.quantity * l.price_amount, scale(i.total_amount)))
                    from plugin_finance.invoice_lines l where l.tenant_id = $1 and l.invoice_id = i.id)`,
  },
  {
    what: 'a reversal that is not the other side of its entry',
    sql: `with sides as (select journal_entry_id as id, account,
                              sum(coalesce(debit_amount, 0) - coalesce(credit_amount, 0)) as amount
                         from plugin_finance.journal_entry_lines where tenant_id = $1 group by journal_entry_id, account)
          select r.number from plugin_finance.journal_entry r
            join sides mine on mine.id = r.id
            left join sides its on its.id = r.reversal_of and its.account = mine.account
           where r.tenant_id = $1 and r.reversal_of is not null and mine.amount is distinct from -its.amount`,
  },
  {
    what: 'a series with a gap or with a number twice',
    sql: `with numbers as (select number from plugin_finance.journal_entry where tenant_id = $1
                           union all select number from plugin_finance.invoice where tenant_id = $1
                           union all select number from plugin_oms.order where tenant_id = $1),
               taken as (select regexp_replace(number, '[0-9]+$', '') as series, substring(number from '[0-9]+$')::int as nth
                           from numbers where number is not null)
          select series, count(*), max(nth) from taken group by series
          having count(*) <> max(nth) or count(distinct nth) <> max(nth)`,
  },
]

const invoices: readonly Check[] = [
  {
    what: 'a shipped order without exactly one invoice of its total',
    sql: `select o.number, count(i.id) from plugin_oms.order o
            left join plugin_finance.invoice i on i.tenant_id = $1 and i."order" = o.id
           where o.tenant_id = $1 and o.status = 'shipped' group by o.id, o.number, o.total_amount
          having count(i.id) <> 1 or min(i.total_amount) is distinct from o.total_amount`,
  },
  {
    what: 'an invoice of an order that is not shipped',
    sql: `select i.id from plugin_finance.invoice i
            left join plugin_oms.order o on o.tenant_id = $1 and o.id = i."order" and o.status = 'shipped'
           where i.tenant_id = $1 and i."order" is not null and o.id is null`,
  },
]

/** What is wrong, a sentence each with the first rows; nothing when all is well. `invoiced`: once the queue is empty. */
export async function wrongInBooks(
  admin: Pick<pg.Client, 'query'>,
  tenant: string,
  options: { readonly invoiced?: boolean } = {},
): Promise<string[]> {
  const wrong: string[] = []
  for (const { what, sql } of [...checks, ...(options.invoiced ? invoices : [])]) {
    const { rows } = await admin.query(sql, [tenant])
    if (rows.length > 0) wrong.push(`${rows.length} times ${what}: ${JSON.stringify(rows.slice(0, 3))}`)
  }
  return wrong
}

const pollMs = 50

/** Waits until every event of the tenant was dispatched and everything it led to has ended. @throws when that takes longer */
export async function queueEmpty(
  admin: Pick<pg.Client, 'query'>,
  tenant: string,
  withinMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const { rows } = await admin.query<{ events: number; tasks: number }>(
      `select (select count(*)::int from kernel.outbox where tenant_id = $1 and dispatched_at is null) as events,
              (select count(*)::int from kernel.task where tenant_id = $1 and ended_at is null) as tasks`,
      [tenant],
    )
    const { events, tasks } = rows[0] ?? { events: 0, tasks: 0 }
    if (events + tasks === 0) return
    if (Date.now() > deadline) throw new Error(`${events} events and ${tasks} tasks are left over`)
    await sleep(pollMs)
  }
}
