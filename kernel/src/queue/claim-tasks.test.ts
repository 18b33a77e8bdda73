// What a turn may take of a lane in which much has to wait.
import t from 'tap'
import { testDatabase } from '../../../tests/support/database.ts'
import { createClaims } from './claim-tasks.ts'

const behind = 3_000

t.test('what waits behind thousands of a record that fails is done meanwhile', async (t) => {
  const { admin, addTenant } = await testDatabase(t)
  const tenant = await addTenant('blocked')
  await admin.query(
    `insert into kernel.tenant_module (tenant_id, module, enabled_by) values ($1, 'books', 'u')`,
    [tenant],
  )
  const add = (subject: string, count: number, ready: boolean) =>
    admin.query(
      `insert into kernel.task (tenant_id, kind, queue, module, name, subject, ready, run_at, attempts_max, actor, request_id)
       select $1, 'event', 'events.books', 'books', 'shop.order.told', $2, $3, now() + case when $3 then interval '0' else interval '1 hour' end,
              12, 'a', 'r' from generate_series(1, $4::int)`,
      [tenant, subject, ready, count],
    )
  await add('shop.order:failing', 1, false)
  await add('shop.order:failing', behind, true)
  await add('shop.order:other', 2, true)
  const claims = createClaims(admin, 'worker', 30_000)
  const lane = { queue: 'events.books', tenant, lane: '' }
  t.match(await claims.claim(lane, 16), [{ subject: 'shop.order:other' }, { subject: 'shop.order:other' }])
  t.same(await claims.claim(lane, 16), [], 'and the others have to wait')
  const { rows } = await admin.query<{ count: number }>(
    `select count(*)::int as count from kernel.task where state = 'waiting' and not ready and run_at > now() + interval '50 minutes'`,
  )
  t.equal(rows[0]?.count, 1 + behind, 'until the first has been tried again')
})
