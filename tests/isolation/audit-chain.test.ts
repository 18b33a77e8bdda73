// The audit trail against a superuser of the database, who may do anything there but make a seal.
import fc from 'fast-check'
import pg from 'pg'
import t from 'tap'
import { sealAudit } from '../../kernel/src/audit/seal-audit.ts'
import { verifyAudit } from '../../kernel/src/audit/verify-audit.ts'
import { writeAudit } from '../../kernel/src/audit/write-audit.ts'
import { sealedChain, transaction } from '../support/audit-lab.ts'

const { database, kernel, key, tenant, other, entry, seal, verify, afterTampering, put } =
  await sealedChain(t)
const { admin, access } = database
/** What has been sealed when the tampering begins. */
let floor = 0n

await t.test('a chain that nobody touched is in order, and tenants have chains of their own', async (t) => {
  t.match(await verify(), { ok: true, seals: 6, rows: 42, waiting: 0, problems: [], anchor: { seq: 6 } })
  t.match(await verify(other), { ok: true, seals: 6, rows: 18, problems: [] })
  await writeAudit(kernel, entry('later'))
  t.match(await verify(), { ok: true, rows: 42, waiting: 1 })
  await seal()
  t.match(await verify(), { ok: true, seals: 7, rows: 43, waiting: 0 })
})

await t.test('a transaction that commits late is sealed late, and none is left out', async (t) => {
  const slow = await database.connect(access.kernel)
  await slow.query('BEGIN')
  await writeAudit(slow, entry('slow'))
  await writeAudit(kernel, entry('fast'))
  await transaction(kernel, () => sealAudit(kernel, key, 0n))
  t.match(await verify(), { ok: true, seals: 7, waiting: 1 }, 'the fast one waits for the slow one')
  await slow.query('COMMIT')
  await seal()
  t.match(await verify(), { ok: true, seals: 8, rows: 45, waiting: 0 })
})

await t.test('two processes that seal at once make one chain', async (t) => {
  const second = await database.connect(access.kernel)
  await writeAudit(kernel, entry('at once'))
  await Promise.all([
    transaction(kernel, () => sealAudit(kernel, key, 0n)),
    transaction(second, () => sealAudit(second, key, 0n)),
  ])
  floor = await seal()
  t.match(await verify(), { ok: true, seals: 9, rows: 46 })
})

const columns = [
  'actor',
  'on_behalf_of',
  'via',
  'request_id',
  'trace_id',
  'address',
  'agent',
  'module',
  'entity',
  'record_id',
]
const anyRow = (seed: number) =>
  `(SELECT id FROM kernel.audit WHERE tenant_id = '${tenant}' ORDER BY id OFFSET ${seed} % 46 LIMIT 1)`
const flipped = (column: string, at: number, bit: number) =>
  `convert_from(set_byte(convert_to(${column}, 'UTF8'), ${at} % octet_length(${column}),
    get_byte(convert_to(${column}, 'UTF8'), ${at} % octet_length(${column})) # ${1 << bit}), 'UTF8')`
const rowSet = (set: string, seed: number) => `UPDATE kernel.audit SET ${set} WHERE id = ${anyRow(seed)}`
const sealSet = (set: string, seed: number) =>
  `UPDATE kernel.audit_seal SET ${set} WHERE tenant_id = '${tenant}' AND seq = 1 + ${seed} % 9`
const seed = fc.nat(1_000)
const tampering = fc.oneof(
  // One bit of one byte of a text; a value that is there in no row is given.
  fc
    .tuple(
      fc.constantFrom(...columns.filter((name) => name !== 'on_behalf_of' && name !== 'via')),
      seed,
      seed,
      fc.nat(4),
    )
    .map(([column, row, at, bit]) => [rowSet(`${column} = ${flipped(column, at, bit)}`, row)]),
  seed.map((row) => [rowSet("on_behalf_of = 'eve'", row)]),
  seed.map((row) => [rowSet("via = 'session'", row)]),
  seed.map((row) => [rowSet('trace_id = NULL', row)]),
  seed.map((row) => [rowSet("before = 'null'", row)]),
  seed.map((row) => [rowSet('before = NULL', row)]),
  seed.map((row) => [rowSet(`after = jsonb_set(after, '{role}', '"owner"')`, row)]),
  seed.map((row) => [rowSet(`after = jsonb_set(after, '{amount}', '1.00')`, row)]),
  seed.map((row) => [rowSet("at = at + interval '1 ms'", row)]),
  seed.map((row) => [rowSet(`tenant_id = '${other}'`, row)]),
  seed.map((row) => [rowSet('turn = turn + 1000000', row)]),
  seed.map((row) => [`DELETE FROM kernel.audit WHERE id = ${anyRow(row)}`]),
  // Two rows change places.
  seed.map((row) => [
    `UPDATE kernel.audit a SET record_id = b.record_id FROM kernel.audit b
      WHERE a.tenant_id = b.tenant_id AND a.tenant_id = '${tenant}'
        AND ((a.id = ${anyRow(row)} AND b.id = ${anyRow(row + 1)}) OR (b.id = ${anyRow(row)} AND a.id = ${anyRow(row + 1)}))`,
  ]),
  fc
    .constantFrom('0', '(SELECT max(turn) FROM kernel.audit)', '(SELECT min(turn) FROM kernel.audit)')
    .map((turn) => [put(turn)]),
  seed.map((seq) => [sealSet('hash = set_byte(hash, 3, get_byte(hash, 3) # 1)', seq)]),
  seed.map((seq) => [sealSet('previous = set_byte(previous, 3, get_byte(previous, 3) # 1)', seq)]),
  seed.map((seq) => [sealSet('rows = rows + 1', seq)]),
  seed.map((seq) => [sealSet("sealed_at = sealed_at - interval '1 day'", seq)]),
  seed.map((seq) => [sealSet("last_at = last_at - interval '1 day'", seq)]),
  // A seal in the middle goes, with its rows or without; or the first ones, as if they had been purged.
  fc
    .nat(7)
    .map((seq) => [`DELETE FROM kernel.audit_seal WHERE tenant_id = '${tenant}' AND seq = ${seq + 1}`]),
  fc.nat(7).map((seq) => [
    `DELETE FROM kernel.audit WHERE tenant_id = '${tenant}' AND turn < (
       SELECT to_turn FROM kernel.audit_seal WHERE tenant_id = '${tenant}' AND seq = ${seq + 1})`,
    `INSERT INTO kernel.audit_checkpoint (tenant_id, seq, to_turn, hash, purged_rows, mac)
     SELECT tenant_id, seq, to_turn, hash, 7, hash FROM kernel.audit_seal WHERE tenant_id = '${tenant}' AND seq = ${seq + 1}`,
    `DELETE FROM kernel.audit_seal WHERE tenant_id = '${tenant}' AND seq <= ${seq + 1}`,
  ]),
  // The end goes without its rows.
  fc
    .nat(4)
    .map((seq) => [`DELETE FROM kernel.audit_seal WHERE tenant_id = '${tenant}' AND seq > ${seq + 4}`]),
)

await t.test('any byte that a superuser changes is found', async (t) => {
  await fc.assert(
    fc.asyncProperty(tampering, async (texts) => {
      const { touched, ok, problems } = await afterTampering(texts, floor).catch((error: unknown) => {
        // A flipped bit may be no UTF-8, a row may have a key already: the database refuses it by itself.
        if (error instanceof pg.DatabaseError && /^(22021|23505|23514)$/.test(error.code ?? ''))
          return { touched: 0, ok: false, problems: ['refused'] }
        throw error
      })
      return (touched === 0 || !ok) && (ok || problems.length > 0)
    }),
    { numRuns: 200 },
  )
  t.match(await verify(), { ok: true }, 'a positive control: all of it was undone')
})

await t.test('with auditSeals down, a changed row goes unnoticed', async (t) => {
  const texts = [rowSet("actor = 'eve'", 5)]
  t.match(await afterTampering(texts, floor), {
    ok: false,
    problems: [/not as they were sealed \(seal \d\)/],
  })
  t.match(await afterTampering(texts, floor, new Set(['auditSeals'])), { ok: true, problems: [] })
})

await t.test('who takes the last seals away and changes rows does not get them sealed anew', async (t) => {
  await transaction(
    admin,
    async () => {
      await admin.query(`DELETE FROM kernel.audit_seal WHERE seq >= 7`)
      await admin.query(rowSet("actor = 'eve'", 45))
      await sealAudit(admin, key, floor)
      t.match(
        await verifyAudit(admin, key, tenant, { floor }),
        { ok: false, problems: [/lost their seals, or were put in/] },
        'a kernel that has seen them sealed says so',
      )
      const { rows } = await admin.query('SELECT FROM kernel.audit_seal WHERE seq >= 7')
      t.same(rows, [])
    },
    'ROLLBACK',
  )
})

await t.test(
  'an end that was taken away with its seals is found by an anchor, and by nothing else',
  async (t) => {
    const { anchor } = await verify()
    t.match(anchor, { seq: 9, hash: /^[0-9a-f]{64}$/ })
    if (!anchor) return
    t.match(await verify(tenant, anchor), { ok: true })
    t.match(await verify(tenant, { ...anchor, hash: '0'.repeat(64) }), { problems: [/made anew/] })
    await transaction(
      admin,
      async () => {
        const tail = `(SELECT min(from_turn) FROM kernel.audit_seal WHERE tenant_id = '${tenant}' AND seq > 7)`
        await admin.query(`DELETE FROM kernel.audit WHERE tenant_id = '${tenant}' AND turn >= ${tail}`)
        await admin.query(`DELETE FROM kernel.audit_seal WHERE tenant_id = '${tenant}' AND seq > 7`)
        t.match(await verifyAudit(admin, key, tenant), { ok: true })
        t.match(await verifyAudit(admin, key, tenant, { anchor }), {
          ok: false,
          problems: [/its end was taken away/],
        })
      },
      'ROLLBACK',
    )
  },
)
