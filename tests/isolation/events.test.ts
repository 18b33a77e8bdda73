// Events and tasks of one tenant are nothing to another, whoever tries: a subscriber, a login that lost its role, or who can
// write into the queue's store.
import t from 'tap'
import { allEnded, queueLab, until } from '../support/queue-lab.ts'

t.test('events of one tenant', async (t) => {
  const lab = await queueLab(t)
  const { admin, access, connect } = lab.database
  const [mine, theirs] = [await lab.openShop(), await lab.openShop()]
  await theirs.tell(await theirs.order(), 'secret', 0, 20)
  await until(theirs.tasks, (all) => all.length === 20 && allEnded(all))

  t.test('are not heard by another, and do not become its tasks', async (t) => {
    t.equal((await theirs.entries()).length, 20)
    t.strictSame(await mine.entries(), [])
    t.strictSame(await mine.tasks(), [])
    const { rows } = await admin.query(
      'select from kernel.task t join kernel.outbox o on o.id = t.event_id where o.tenant_id <> t.tenant_id',
    )
    t.equal(rows.length, 0)
  })

  t.test('are out of reach of a login that lost its role', async (t) => {
    const data = await connect(access.data)
    const asMine = async (text: string) => {
      await data.query(`begin; set local plinth.tenant_id = '${mine.id}'`)
      return data.query(text).finally(() => data.query('rollback'))
    }
    t.equal((await asMine('select from kernel.task')).rowCount, 0)
    t.equal((await asMine(`update kernel.task set state = 'waiting'`)).rowCount, 0)
    for (const text of [
      'select from kernel.outbox',
      'delete from kernel.task',
      `update kernel.task set tenant_id = '${mine.id}'`,
      'update kernel.task set attempt = 0',
      `insert into kernel.task (tenant_id, kind, queue, module, name, attempts_max, actor, request_id)
       values ('${theirs.id}', 'event', 'events.books', 'books', 'x', 1, 'a', 'r')`,
      `select kernel.claim_tasks('events.books', '${theirs.id}', '', 'books', '{active}', 9, 'w', 1)`,
      'select from bullmq.job',
      `select * from bullmq.add_flow('[]')`,
    ]) {
      await t.rejects(asMine(text), { code: '42501' }, text)
    }
    await admin.query('alter table kernel.task disable row level security')
    t.equal(
      (await asMine('select from kernel.task')).rowCount,
      20,
      'it is row-level security that keeps them',
    )
    await admin.query('alter table kernel.task enable row level security')
  })

  t.test('are nothing that a role of a plugin may touch', async (t) => {
    const { rows } = await admin.query<{ role: string; table: string }>(
      `select r.rolname as role, n.nspname || '.' || c.relname as table
         from pg_roles r, pg_class c join pg_namespace n on n.oid = c.relnamespace
        where r.rolname like '%\\_plugin\\_%' and n.nspname in ('kernel', 'bullmq') and c.relkind in ('r', 'S')
          and has_schema_privilege(r.oid, n.oid, 'usage')
          and case when c.relkind = 'S' then has_sequence_privilege(r.oid, c.oid, 'usage, select, update')
                   else has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate') end`,
    )
    t.strictSame(rows, [])
  })

  t.test('are not done again, nor for another, because the store says so', async (t) => {
    const forged = [
      { tenant: theirs.id, lane: '', event: 'shop.order.told', payload: { say: 'forged' } },
      { tenant: mine.id, lane: '', queue: 'events.shop', module: 'shop' },
      { tenant: `${theirs.id}' or true --`, lane: '' },
      { tenant: theirs.id, lane: { toString: 'x' } },
      { tenant: theirs.id, lane: '\\u0000' },
      [],
      7,
    ]
    await admin.query(
      `insert into bullmq.job (queue, id, seq, name, state, data, opts, priority, delay_ms, max_attempts, added_at_ms)
       select 'events.books', 'forged' || n, nextval('bullmq.job_seq'), 'turn', 'waiting', d, '{}', 0, 0, 1, 0
         from jsonb_array_elements($1) with ordinality as f(d, n)`,
      [JSON.stringify(forged)],
    )
    await mine.tell(await mine.order(), 'mine')
    await until(mine.entries, (all) => all.length === 1)
    await until(
      async () => (await admin.query(`select from bullmq.job where id like 'forged%'`)).rowCount,
      (left) => left === 0,
    )
    t.match(await mine.entries(), [{ say: 'mine' }])
    t.equal((await theirs.entries()).length, 20)
    t.ok((await theirs.tasks()).every(({ state, attempt }) => state === 'done' && attempt === 1))
  })
})
