// What a claim, a dispatch and a sweep cost does not hang on how much is there: it is counted in pages that they touch.
import t from 'tap'
import { testDatabase } from '../../../tests/support/database.ts'
import { dispatchBatch } from './dispatch.ts'
import { findLanes, promote, takeBack } from './sweep.ts'

const rows = 60_000

interface Plan {
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
}

t.test('cost stays flat', async (t) => {
  const { admin, addTenant } = await testDatabase(t)
  const tenant = await addTenant('flat')
  const others = await Promise.all(Array.from({ length: 20 }, (_, at) => addTenant(`flat-${at}`)))
  for (const id of [tenant, ...others])
    await admin.query(
      `insert into kernel.tenant_module (tenant_id, module, enabled_by) values ($1, 'books', 'u')`,
      [id],
    )

  const tasks = (of: string, count: number, state: string, ready: boolean, subject = 'null') =>
    admin.query(
      `insert into kernel.task (tenant_id, kind, queue, module, name, subject, state, ready, run_at, attempts_max, actor, request_id, ended_at)
       select $1, 'event', 'events.books', 'books', 'shop.order.told', ${subject}, $2, $3,
              now() + case when $3 then interval '0' else interval '1 day' end, 12, 'a', 'r',
              case when $2 = 'done' then now() end
         from generate_series(1, $4::int) g`,
      [of, state, ready, count],
    )
  const events = (count: number, dispatched: boolean) =>
    admin.query(
      `insert into kernel.outbox (tenant_id, actor, request_id, module, event, payload, dispatched_at, position)
       select $1, 'a', 'r', 'shop', 'order.told', '{}', case when $3 then now() end,
              case when $3 then nextval('kernel.outbox_position') end from generate_series(1, $2::int)`,
      [tenant, count, dispatched],
    )

  async function pages(text: string, values: readonly unknown[]): Promise<number> {
    await admin.query('begin')
    const { rows } = await admin.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(
      `explain (analyze, buffers, format json) ${text}`,
      [...values],
    )
    await admin.query('rollback')
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan
    return (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0)
  }

  const subscriptions = JSON.stringify([{ event: 'shop.order.told', module: 'books' }])
  const none = '00000000-0000-0000-0000-000000000000'
  const all = async () => ({
    claim: await pages('select * from kernel.claim_tasks($1, $2, $3, $4, $5, $6, $7, $8)', [
      'events.books',
      tenant,
      '',
      'books',
      ['active'],
      16,
      'w',
      1_000,
    ]),
    dispatch: await pages(dispatchBatch, [500, subscriptions, 12]),
    promote: await pages(promote, []),
    takeBack: await pages(takeBack, ['c', 'm', 1, 2]),
    findLanes: await pages(findLanes, ['', none, '', ['active']]),
  })

  await events(50, false)
  await tasks(tenant, 30, 'waiting', true, `'s' || g % 7`)
  for (const other of others) await tasks(other, 5, 'waiting', true)
  const before = await all()
  await events(rows, true)
  await tasks(tenant, rows, 'done', true, `'s' || g % 7`)
  await tasks(tenant, rows, 'waiting', false)
  for (const other of others) await tasks(other, 500, 'waiting', true)
  await admin.query('analyze kernel.task; analyze kernel.outbox')
  const after = await all()
  for (const name of ['claim', 'dispatch', 'promote', 'takeBack', 'findLanes'] as const)
    t.ok(after[name] < 3 * before[name] + 100, `${name}: ${before[name]} pages, then ${after[name]}`)
})
