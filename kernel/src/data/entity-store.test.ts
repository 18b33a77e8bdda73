// What the store promises of single records: tenancy, states, numbers, references, audit.
import { randomUUIDv7 } from 'node:crypto'
import t from 'tap'
import { parseRecord } from './field-kinds/parse-fields.ts'
import { entity, storeFixture } from './store-fixture.ts'

const fixture = await storeFixture(t, {
  account: entity({
    code: { kind: 'text', max: 20, unique: true },
    name: { kind: 'text', max: 200 },
    active: { kind: 'bool', default: true },
    limit: { kind: 'money', optional: true },
  }),
  journalEntry: entity(
    {
      number: { kind: 'sequence', pattern: 'JE-{year}-{00000}', at: 'posted', dateField: 'date' },
      date: { kind: 'date' },
      reference: { kind: 'text', optional: true },
      lines: {
        kind: 'lines',
        fields: {
          account: { kind: 'ref', entity: 'account' },
          debit: { kind: 'money', optional: true },
          credit: { kind: 'money', optional: true },
          memo: { kind: 'text', optional: true },
        },
      },
      reversalOf: { kind: 'ref', entity: 'journalEntry', optional: true, unique: true },
      status: { kind: 'state', transitions: { draft: ['posted', 'void'], posted: [], void: ['draft'] } },
    },
    { immutableIn: ['posted'] },
  ),
  ticket: entity({ number: { kind: 'sequence', pattern: 'T-{000}' }, title: { kind: 'text' } }),
})
const accounts = fixture.store('account')
const entries = fixture.store('journalEntry')
const { connections, tenant, other, unit } = fixture
const reader = connections.reader(tenant)
const parse = (store: typeof accounts, input: unknown) =>
  parseRecord(store.spec.fields, input, 'create').values

const newAccount = (code: string) =>
  unit((u) => accounts.create(u, parse(accounts, { code, name: `Account ${code}` })))
const auditOf = async (id: string) =>
  (
    await fixture.database.admin.query(
      'SELECT actor, module, entity, action, before, after FROM kernel.audit WHERE record_id = $1 ORDER BY id',
      [id],
    )
  ).rows

t.test('a created record is answered as it reads back, and leaves an audit row', async (t) => {
  const values = parse(accounts, { code: '1000', name: 'Cash', limit: { amount: '12.5', currency: 'USD' } })
  const created = await unit((u) => accounts.create(u, values, { unconfirmed: true }))
  t.match(created, { version: 1, createdBy: 'ada', active: true, limit: { amount: '12.50' } })
  t.same(await accounts.get(reader, created.id), created)
  t.same(Object.keys((await accounts.get(reader, created.id)) ?? {}), Object.keys(created))
  t.match(await auditOf(created.id), [
    { actor: 'ada', module: 'trial', entity: 'account', action: 'create', before: null, after: created },
  ])
})

t.test("another tenant's record is not there", async (t) => {
  const { id } = await newAccount('2000')
  t.equal(await accounts.get(connections.reader(other), id), undefined)
  t.equal(await accounts.get(reader, randomUUIDv7()), undefined)
  t.equal(await accounts.get(reader, "x' or true"), undefined)
  for (const act of [
    () => unit((u) => accounts.lock(u, id), { tenant: other }),
    () => unit((u) => accounts.update(u, id, { name: 'mine' }), { tenant: other }),
    () => unit((u) => accounts.delete(u, id), { tenant: other }),
  ]) {
    t.equal(await act(), undefined)
  }
  t.match(await accounts.get(reader, id), { name: 'Account 2000', version: 1 })
})

t.test('lines are stored in order and replaced as a whole', async (t) => {
  const cash = await newAccount('3000')
  const sales = await newAccount('3001')
  const line = (account: string, side: string, amount: string) => ({
    account,
    [side]: { amount, currency: 'INR' },
  })
  const created = await unit((u) =>
    entries.create(
      u,
      parse(entries, {
        date: '2026-04-01',
        lines: [line(cash.id, 'debit', '10'), { ...line(sales.id, 'credit', '10'), memo: 'ünï' }],
      }),
      { unconfirmed: true },
    ),
  )
  t.match(created, { status: 'draft', lines: [{ debit: { amount: '10.00' } }, { memo: 'ünï' }] })
  t.notOk('number' in created)
  t.same(await entries.get(reader, created.id), created)
  const lines = [
    line(sales.id, 'debit', '0.01'),
    line(cash.id, 'credit', '0.01'),
    line(cash.id, 'credit', '3'),
  ]
  const changes = parseRecord(entries.spec.fields, { lines }, 'patch').values
  const updated = await unit((u) => entries.update(u, created.id, changes))
  t.match(updated, { version: 2, lines: { length: 3 } })
  t.same(await entries.get(reader, created.id), updated)
  const emptied = await unit((u) => entries.update(u, created.id, { lines: [] }))
  t.same(emptied?.['lines'], [])
  t.same(await entries.get(reader, created.id), emptied)
})

t.test('a reference to nothing is refused with the line named, and nothing is stored', async (t) => {
  const cash = await newAccount('4000')
  const nowhere = randomUUIDv7()
  const amount = { amount: '1.00', currency: 'INR' }
  const values = parse(entries, {
    date: '2026-04-01',
    lines: [
      { account: cash.id, debit: amount },
      { account: nowhere, credit: amount },
    ],
  })
  const before = await entries.list(reader, {})
  for (const unconfirmed of [{}, { unconfirmed: true }] as const) {
    await t.rejects(
      unit((u) => entries.create(u, values, unconfirmed)),
      {
        code: 'VALIDATION_FAILED',
        data: { errors: [{ field: 'lines.1.account', code: 'REFERENCE_NOT_FOUND' }] },
      },
    )
  }
  // Another tenant's account is nothing, too.
  const foreign = await unit((u) => accounts.create(u, parse(accounts, { code: 'x', name: 'x' })), {
    tenant: other,
  })
  await t.rejects(
    unit((u) => entries.create(u, parse(entries, { date: '2026-04-01', lines: [{ account: foreign.id }] }))),
    { code: 'VALIDATION_FAILED', data: { errors: [{ field: 'lines.0.account' }] } },
  )
  t.same(await entries.list(reader, {}), before)
})

t.test('a value that must be unique is refused with its field named', async (t) => {
  await newAccount('5000')
  for (const unconfirmed of [{}, { unconfirmed: true }] as const) {
    await t.rejects(
      unit((u) => accounts.create(u, parse(accounts, { code: '5000', name: 'again' }), unconfirmed)),
      { code: 'RECORD_CONFLICT', data: { entity: 'account', fields: ['code'] } },
    )
  }
  const sixth = await newAccount('5001')
  await t.rejects(
    unit((u) => accounts.update(u, sixth.id, { code: '5000' })),
    { code: 'RECORD_CONFLICT' },
  )
  t.ok(await unit((u) => accounts.create(u, parse(accounts, { code: '5000', name: 'x' })), { tenant: other }))
})

t.test('a record that others refer to cannot be deleted', async (t) => {
  const cash = await newAccount('6000')
  const entry = await unit((u) =>
    entries.create(u, parse(entries, { date: '2026-04-01', lines: [{ account: cash.id }] })),
  )
  await t.rejects(
    unit((u) => accounts.delete(u, cash.id)),
    { code: 'RECORD_IN_USE', data: { id: cash.id } },
  )
  t.match(await unit((u) => entries.delete(u, entry.id)), { id: entry.id })
  t.equal(await entries.get(reader, entry.id), undefined)
  t.match(await unit((u) => accounts.delete(u, cash.id)), { id: cash.id })
  const trail = await auditOf(cash.id)
  t.match(trail.at(-1), { action: 'delete', before: { code: '6000' }, after: null })
})

t.test('a change needs the version it was made for, and counts it up', async (t) => {
  const { id } = await newAccount('7000')
  const updated = await unit((u) => accounts.update(u, id, { name: 'Renamed' }, { versions: [1] }))
  t.match(updated, { version: 2, name: 'Renamed', code: '7000' })
  await t.rejects(
    unit((u) => accounts.update(u, id, { name: 'Late' }, { versions: [1] })),
    { code: 'VERSION_CONFLICT', data: { version: 2 } },
  )
  await t.rejects(
    unit((u) => accounts.delete(u, id, { versions: [1] })),
    { code: 'VERSION_CONFLICT' },
  )
  const same = await unit((u) => accounts.update(u, id, { name: 'Renamed' }))
  t.equal(same?.version, 2, 'what is no change is not written')
  t.equal((await auditOf(id)).length, 2)
})

t.test('null clears an optional field', async (t) => {
  const values = parse(accounts, { code: '7100', name: 'x', limit: { amount: '5', currency: 'JPY' } })
  const { id } = await unit((u) => accounts.create(u, values))
  const cleared = await unit((u) => accounts.update(u, id, { limit: null }))
  t.notOk('limit' in (cleared ?? {}))
  t.same(await accounts.get(reader, id), cleared)
})

t.test('a state moves along its transitions, and an immutable one ends all change', async (t) => {
  const draft = (date: string) => unit((u) => entries.create(u, parse(entries, { date, lines: [] })))
  const entry = await draft('2025-12-31')
  await t.rejects(
    unit((u) => entries.update(u, entry.id, { status: 'gone' })),
    { code: 'TRANSITION_INVALID', data: { from: 'draft', to: 'gone', allowed: ['posted', 'void'] } },
  )
  const posted = await unit((u) => entries.update(u, entry.id, { status: 'posted' }, { action: 'post' }))
  t.match(posted, { status: 'posted', number: 'JE-2025-00001', version: 2 })
  t.same(await entries.get(reader, entry.id), posted)
  t.match((await auditOf(entry.id)).at(-1), { action: 'post', after: { number: 'JE-2025-00001' } })
  const refused = { code: 'RECORD_IMMUTABLE', data: { state: 'posted' } }
  await t.rejects(
    unit((u) => entries.update(u, entry.id, { reference: 'x' })),
    refused,
  )
  await t.rejects(
    unit((u) => entries.delete(u, entry.id)),
    refused,
  )
  await t.rejects(
    unit((u) => entries.update(u, entry.id, { status: 'draft' })),
    { code: 'TRANSITION_INVALID' },
  )
  const next = await draft('2026-01-01')
  t.match(await unit((u) => entries.update(u, next.id, { status: 'posted' })), { number: 'JE-2026-00001' })
  const third = await draft('2025-06-01')
  t.match(await unit((u) => entries.update(u, third.id, { status: 'posted' })), { number: 'JE-2025-00002' })
})

t.test('a number without a state is given at creation', async (t) => {
  const tickets = fixture.store('ticket')
  const create = () => unit((u) => tickets.create(u, parse(tickets, { title: 'x' }), { unconfirmed: true }))
  t.match(await create(), { number: 'T-001' })
  const second = await create()
  t.match(second, { number: 'T-002' })
  t.same(await tickets.get(reader, second.id), second)
})

t.test('whoever waited for a lock sees the lines as they are now', async (t) => {
  const cash = await newAccount('8000')
  const { id } = await unit((u) =>
    entries.create(u, parse(entries, { date: '2026-04-01', lines: [{ account: cash.id, memo: 'old' }] })),
  )
  const release = Promise.withResolvers<void>()
  const locked = Promise.withResolvers<void>()
  const first = unit(async (u) => {
    await entries.update(u, id, { lines: [{ account: cash.id, memo: 'new' }] })
    await entries.get(u, id)
    locked.resolve()
    await release.promise
  })
  await locked.promise
  const second = unit((u) => entries.lock(u, id))
  await new Promise((resolve) => setTimeout(resolve, 100))
  release.resolve()
  await first
  t.match(await second, { version: 2, lines: [{ memo: 'new' }] })
})

t.test('a condition hides rows from reading and from writing', async (t) => {
  const { id } = await newAccount('9000')
  const mine = { field: 'createdBy', op: 'eq', value: 'ada' } as const
  const his = { field: 'createdBy', op: 'eq', value: 'bob' } as const
  t.ok(await accounts.get(reader, id, mine))
  t.equal(await accounts.get(reader, id, his), undefined)
  t.equal(await accounts.get(reader, id, false), undefined)
  t.equal(await unit((u) => accounts.update(u, id, { name: 'y' }, { condition: his })), undefined)
  t.equal(await unit((u) => accounts.delete(u, id, { condition: his })), undefined)
  t.equal(await unit((u) => accounts.lock(u, id, his)), undefined)
  t.ok(await unit((u) => accounts.update(u, id, { name: 'y' }, { condition: { any: [his, mine] } })))
  await unit(async (u) => {
    t.ok(await accounts.lock(u, id))
    t.equal(await accounts.lock(u, id, his), undefined, 'also when the unit has it locked already')
  })
})

t.test('a unit that throws leaves nothing behind', async (t) => {
  const before = await accounts.list(reader, {})
  const reason = new Error('no')
  await t.rejects(
    unit(async (u) => {
      await accounts.create(u, parse(accounts, { code: 'never', name: 'x' }))
      throw reason
    }),
    reason,
  )
  t.same(await accounts.list(reader, {}), before)
  t.equal(
    (await fixture.database.admin.query("SELECT FROM kernel.audit WHERE after->>'code' = 'never'")).rowCount,
    0,
  )
})
