import { randomUUIDv7 } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { testDatabase } from '../../../../tests/support/database.ts'
import { entityOf, manifestOf } from '../../../../tests/support/manifest.ts'

// The last wall: statements that say nothing of a tenant, as if the kernel had forgotten the predicate everywhere.

const db = await testDatabase(t)
const notes = manifestOf('notes', {
  note: entityOf({
    code: { kind: 'text', max: 20, unique: true },
    body: { kind: 'text', max: 20 },
    lines: { kind: 'lines', fields: { item: { kind: 'text', max: 20 } } },
  }),
})
await db.installPlugin(notes)
const data = await db.connect(db.access.data)
await data.query('set role plinthtest_plugin_notes')

const code = fc.constantFrom('a', 'b', 'c')
const body = fc.string({ maxLength: 8 }).map((text) => text.replaceAll('\0', ''))
const operation = fc.oneof(
  fc.record({ op: fc.constant('insert' as const), code, body }),
  fc.record({ op: fc.constant('update all' as const), body }),
  fc.record({ op: fc.constant('update one' as const), code, body }),
  fc.record({ op: fc.constant('delete one' as const), code }),
  fc.record({ op: fc.constant('delete all' as const) }),
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** What the tenant must have afterwards, by code. */
function expect(model: Map<string, string>, operation: Operation): void {
  if (operation.op === 'insert' && !model.has(operation.code)) model.set(operation.code, operation.body)
  if (operation.op === 'update all') for (const key of model.keys()) model.set(key, operation.body)
  if (operation.op === 'update one' && model.has(operation.code)) model.set(operation.code, operation.body)
  if (operation.op === 'delete one') model.delete(operation.code)
  if (operation.op === 'delete all') model.clear()
}

async function run(operation: Operation): Promise<void> {
  switch (operation.op) {
    case 'insert': {
      const { rows } = await data.query(
        `insert into plugin_notes.note (id, version, created_at, created_by, updated_at, updated_by, code, body)
         values ($1, 1, now(), 'u', now(), 'u', $2, $3) on conflict do nothing returning id`,
        [randomUUIDv7(), operation.code, operation.body],
      )
      for (const { id } of rows) {
        await data.query(`insert into plugin_notes.note_lines (note_id, position, item) values ($1, 0, $2)`, [
          id,
          operation.body,
        ])
      }
      return
    }
    case 'update all':
      await data.query(
        'with line as (update plugin_notes.note_lines set item = $1) update plugin_notes.note set body = $1',
        [operation.body],
      )
      return
    case 'update one':
      await data.query(
        `with changed as (update plugin_notes.note set body = $2 where code = $1 returning id)
         update plugin_notes.note_lines set item = $2 where note_id in (select id from changed)`,
        [operation.code, operation.body],
      )
      return
    case 'delete one':
      await data.query('delete from plugin_notes.note where code = $1', [operation.code])
      return
    case 'delete all':
      await data.query('delete from plugin_notes.note')
  }
}

const become = (tenant: string) => data.query(`set plinth.tenant_id = '${tenant}'`)

const seen = async () =>
  (
    await data.query(
      'select n.code, n.body, l.item from plugin_notes.note n join plugin_notes.note_lines l on l.note_id = n.id order by 1',
    )
  ).rows

t.test(
  'two tenants never see or touch each other, whatever they do and with no tenant predicate anywhere',
  async (t) => {
    const tenants = [await db.addTenant('left'), await db.addTenant('right')]
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(1), operation), { maxLength: 30 }), async (operations) => {
        const models = tenants.map(() => new Map<string, string>())
        for (const [who, operation] of operations) {
          await become(tenants[who] ?? '')
          await run(operation)
          expect(models[who] ?? new Map(), operation)
        }
        for (const [who, tenant] of tenants.entries()) {
          await become(tenant)
          const wanted = [...(models[who] ?? [])].map(([code, text]) => ({ code, body: text, item: text }))
          t.strictSame(
            await seen(),
            wanted.sort((a, b) => (a.code < b.code ? -1 : 1)),
          )
          await data.query('delete from plugin_notes.note')
        }
      }),
      { numRuns: 60 },
    )
  },
)

t.test('without a tenant there is nothing to see and nothing can be written', async (t) => {
  await become(await db.addTenant('somebody'))
  await run({ op: 'insert', code: 'a', body: 'b' })
  t.equal((await seen()).length, 1, 'a positive control')
  await data.query('reset plinth.tenant_id')
  t.strictSame(await seen(), [])
  t.equal((await data.query('delete from plugin_notes.note')).rowCount, 0)
  await t.rejects(run({ op: 'insert', code: 'a', body: 'b' }), { code: /23502|42501/ })
})

t.test('a prepared statement asks for the tenant anew each time', async (t) => {
  const [one, two] = [await db.addTenant('first'), await db.addTenant('second')]
  await become(one)
  await run({ op: 'insert', code: 'a', body: 'one' })
  // An IMMUTABLE tenant_id() was folded into the plan after five executions.
  for (let time = 0; time < 12; time++) {
    for (const tenant of [one, two]) {
      await become(tenant)
      const { rows } = await data.query({
        name: 'notes',
        text: 'select body from plugin_notes.note where code = $1',
        values: ['a'],
      })
      t.strictSame(rows, tenant === one ? [{ body: 'one' }] : [])
    }
  }
})
