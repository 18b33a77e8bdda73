// Units of work: all or nothing, one tenant, nothing left behind.
import { randomUUIDv7 } from 'node:crypto'
import { setImmediate, setTimeout } from 'node:timers/promises'
import t from 'tap'
import { prepared } from './statement.ts'
import { entity, storeFixture } from './store-fixture.ts'
import { type UnitOfWork, withUnitOfWork } from './unit-of-work.ts'

const fixture = await storeFixture(t, { item: entity({ name: { kind: 'text', unique: true } }) }, { max: 2 })
const { connections, role, tenant, other, unit } = fixture
const items = fixture.store('item')

// What the lockdown takes away and these tests need.
await fixture.database.admin.query(
  `GRANT EXECUTE ON FUNCTION pg_sleep(double precision), pg_advisory_lock(bigint), pg_prepared_statement() TO ${role}`,
)

const count = async () => (await items.list(connections.reader(tenant), { limit: 200 })).items.length
const select = (text: string) => ({ text, values: [], fromPlugin: true as const })

t.test('a unit that touches nothing opens nothing', async (t) => {
  const before = connections.stats()
  t.equal(await unit(async () => 7), 7)
  t.same(connections.stats(), before)
})

t.test(
  'a unit that only reads begins no transaction; once it has written it reads its own writes',
  async (t) => {
    const begun = async () => {
      const { rows } = await fixture.database.admin.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
      )
      return rows[0]?.n
    }
    await unit(async (u) => {
      t.equal(await items.get(u, randomUUIDv7()), undefined)
      t.equal(await begun(), 0)
      const made = await items.create(u, { name: 'own write' })
      t.equal(await begun(), 1)
      t.match(await items.get(u, made.id), { name: 'own write' })
      await items.delete(u, made.id)
    })
  },
)

t.test('many reads at once take two connections at most', async (t) => {
  const all = await unit((u) => Promise.all(Array.from({ length: 40 }, () => items.list(u, {}))))
  t.equal(all.length, 40)
  t.ok(connections.stats().open <= 2)
})

t.test('events are written with the data and only with it', async (t) => {
  const event = { module: 'trial', event: 'item.made', version: '1.0.0', payload: { name: 'c' } }
  await unit(async (u) => {
    u.emit(event)
    await items.create(u, { name: 'c' })
  })
  await t.rejects(
    unit(async (u) => {
      u.emit(event)
      await items.create(u, { name: 'c' })
    }),
  )
  const { rows } = await fixture.database.admin.query(
    'SELECT tenant_id, actor, event, payload FROM kernel.outbox',
  )
  t.same(rows, [{ tenant_id: tenant, actor: 'ada', event: 'item.made', payload: { name: 'c' } }])
})

t.test('a statement that failed ends the unit, also when its error was caught', async (t) => {
  const before = await count()
  await t.rejects(
    unit(async (u) => {
      await items.create(u, { name: 'kept?' })
      await items.create(u, { name: 'kept?' }).catch(() => undefined)
      await t.rejects(items.create(u, { name: 'after' }), { code: 'RECORD_CONFLICT' })
    }),
    { code: 'RECORD_CONFLICT' },
  )
  t.equal(await count(), before)
})

t.test('the first error is the one that is told, not those it caused', async (t) => {
  await t.rejects(
    unit(async (u) => {
      await Promise.all([
        u.query(role, prepared('SELECT 1')([])),
        u.query(role, prepared('SELECT 1 / 0')([])),
        u.query(role, prepared('SELECT 2')([])),
      ])
    }),
    { code: '22012' },
  )
})

t.test('statements that are sent together keep their order', async (t) => {
  const names = ['o1', 'o2', 'o3', 'o4']
  await unit(async (u) => {
    // The first one has to wait for a connection: those behind it must not overtake it.
    await Promise.all(names.map((name) => items.create(u, { name })))
  })
  const { rows } = await fixture.database.admin.query(
    "SELECT after->>'name' AS name FROM kernel.audit WHERE after->>'name' LIKE 'o_' ORDER BY id",
  )
  t.same(
    rows.map((row) => row.name),
    names,
  )
})

t.test('a unit that has ended takes no more statements', async (t) => {
  let kept: Parameters<Parameters<typeof unit>[0]>[0] | undefined
  await unit(async (u) => {
    kept = u
    await items.create(u, { name: 'stale' })
  })
  if (!kept) throw new Error('no unit')
  await t.rejects(items.create(kept, { name: 'too late' }), /has ended/)
  await t.rejects(kept.query(role, prepared('SELECT 1')([])), /has ended/)
  t.equal(connections.stats().idle, connections.stats().open)
  t.equal(await count(), await count())
})

t.test('two changes of one record at once: nothing is kept of either, nor of what went before', async (t) => {
  const { id } = await unit((u) => items.create(u, { name: 'as it was' }))
  const before = await count()
  for (const second of [
    (u: UnitOfWork) => items.update(u, id, { name: 'second' }),
    (u: UnitOfWork) => items.delete(u, id),
  ]) {
    await t.rejects(
      unit(async (u) => {
        await items.create(u, { name: 'before both' })
        await Promise.all([items.update(u, id, { name: 'first' }), second(u)])
      }),
      { code: 'WRITE_CONFLICT' },
    )
    t.match(await items.get(connections.reader(tenant), id), { name: 'as it was', version: 1 })
    t.equal(await count(), before)
  }
  const { rows } = await fixture.database.admin.query(
    `SELECT FROM kernel.audit WHERE record_id = $1 AND action <> 'create'`,
    [id],
  )
  t.equal(rows.length, 0, 'and the trail tells of none')
})

t.test('a change that comes after the commit is refused, and leaves the connection alone', async (t) => {
  const made = await unit((u) => items.create(u, { name: 'in time' }))
  for (const isCommitted of [true, false]) {
    const left = Promise.withResolvers<UnitOfWork>()
    const done = unit(async (u) => {
      await items.create(u, { name: `in time ${isCommitted}` })
      left.resolve(u)
    })
    const kept = await left.promise
    if (isCommitted) await done
    // COMMIT goes out with the next microtasks, and is answered by another event.
    else for (let step = 0; step < 20; step++) await null
    const before = connections.stats().open
    await t.rejects(items.update(kept, made.id, { name: 'too late' }), /has ended/)
    await t.resolves(done, 'what was committed is not told to have failed')
    await setImmediate()
    t.equal(connections.stats().open, before, 'it is given back once, or two others would share it')
  }
  t.match(await items.get(connections.reader(tenant), made.id), { name: 'in time' })
})

t.test('a plugin that gets out of its transaction is cut off', async (t) => {
  const before = await count()
  await t.rejects(
    unit(async (u) => {
      await items.create(u, { name: 'smuggled' })
      await u.query(role, select('COMMIT'))
      await items.create(u, { name: 'smuggled more' })
    }),
    /ended its transaction/,
  )
  t.equal(await count(), before + 1, 'what it committed was its own tenant’s')
  await unit((u) => items.create(u, { name: 'next' }))
})

t.test('nothing of a plugin’s session is left for another tenant', async (t) => {
  const asOther = { tenant: other }
  await unit(async (u) => {
    await u.query(role, select("SET SESSION plinth.leak = 'secret'"))
    await u.query(role, select('PREPARE spy AS SELECT 1'))
    await u.query(role, select('SELECT pg_advisory_lock(7)'))
  })
  const look =
    "SELECT current_setting('plinth.leak', true), (SELECT count(*) FROM pg_prepared_statements WHERE name = 'spy')"
  for (let round = 0; round < 4; round++) {
    const { rows } = await unit((u) => u.query(role, select(look)), asOther)
    t.ok(rows[0]?.[0] === null || rows[0]?.[0] === '', 'no setting')
    t.equal(rows[0]?.[1], 0, 'no prepared statement')
  }
  const { rows } = await fixture.database.admin.query(
    `SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
      WHERE locktype = 'advisory' AND datname = current_database()`,
  )
  t.equal(rows.length, 0)
})

t.test('the data login itself can read nothing in a unit', async (t) => {
  for (const text of ['SELECT * FROM plugin_trial.item', 'SELECT * FROM kernel.audit']) {
    await t.rejects(
      unit(async (u) => {
        await u.query(role, select('RESET ROLE'))
        await u.query(role, select(text))
      }),
      { code: '42501' },
      text,
    )
  }
})

t.test('two units that wait for each other: one is told to try again', async (t) => {
  const [a, b] = await unit(async (u) => [
    await items.create(u, { name: 'd1' }),
    await items.create(u, { name: 'd2' }),
  ])
  if (!a || !b) throw new Error('no items')
  const both = Promise.withResolvers<void>()
  let locked = 0
  const lockInOrder = (first: string, second: string) =>
    unit(async (u) => {
      await items.lock(u, first)
      locked += 1
      if (locked === 2) both.resolve()
      await both.promise
      await items.lock(u, second)
    })
  const ends = await Promise.allSettled([lockInOrder(a.id, b.id), lockInOrder(b.id, a.id)])
  const refused = ends.filter((end) => end.status === 'rejected')
  t.equal(refused.length, 1)
  t.match(refused[0], { reason: { code: 'WRITE_CONFLICT' } })
})

t.test('a unit over its deadline is cut off, and its locks with it', async (t) => {
  await t.rejects(
    withUnitOfWork(connections, { tenant, actor: 'ada', requestId: 'r', deadlineMs: 100 }, async (u) => {
      await items.create(u, { name: randomUUIDv7() })
      await u.query(role, select('SELECT pg_sleep(8)'))
    }),
    { code: 'DATABASE_UNAVAILABLE' },
  )
  t.equal(connections.stats().idle, connections.stats().open)
  const sleeping =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
  const left = async () => (await fixture.database.admin.query(sleeping)).rowCount
  const slept = performance.now()
  while ((await left()) !== 0 && performance.now() - slept < 5_000) await setTimeout(100)
  t.equal(await left(), 0)
})

t.test('a connection that breaks at the commit says that the outcome is unknown', async (t) => {
  const { admin } = fixture.database
  const { rows } = await admin.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class WHERE relname = 'item' AND relkind = 'r'`,
  )
  const table = rows[0]?.name
  await admin.query(`
    CREATE FUNCTION public.break() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
      $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER breaks AFTER INSERT ON ${table} DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION public.break()`)
  for (const options of [{ unconfirmed: true as const }, {}]) {
    const creating = unit((u) => items.create(u, { name: 'lost' }, options))
    await t.rejects(creating, { code: 'COMMIT_UNCERTAIN', status: 503 })
  }
  await t.rejects(
    unit(async (u) => {
      await items.create(u, { name: 'lost before' })
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'`,
      )
      await items.create(u, { name: 'lost, too' })
    }),
    { code: 'DATABASE_UNAVAILABLE' },
    'before the commit it is known: nothing was saved',
  )
  await admin.query(`DROP TRIGGER breaks ON ${table}; DROP FUNCTION public.break()`)
})
