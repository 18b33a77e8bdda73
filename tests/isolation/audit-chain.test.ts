// The audit trail against whoever has the database: the logins of the kernel, and a superuser, who may do anything there
// but make a seal.
import fc from 'fast-check'
import pg from 'pg'
import t from 'tap'
import { auditKey } from '../../kernel/src/audit/audit-digest.ts'
import { purgeAudit } from '../../kernel/src/audit/purge-audit.ts'
import { sealAudit } from '../../kernel/src/audit/seal-audit.ts'
import { startAuditSealer } from '../../kernel/src/audit/sealer.ts'
import { type Anchor, verifyAudit } from '../../kernel/src/audit/verify-audit.ts'
import { aboveTenants, writeAudit } from '../../kernel/src/audit/write-audit.ts'
import { continueAuditTurns } from '../../kernel/src/data/bootstrap/audit-turns.ts'
import type { DefencesOff } from '../../kernel/src/defences.ts'
import { testDatabase, testInstallation } from '../support/database.ts'
import { recordingLog } from '../support/recording-log.ts'

const database = await testDatabase(t)
const { admin, access } = database
const kernel = await database.connect(access.kernel)
const key = auditKey(testInstallation.secret)
const tenant = await database.addTenant('sealed')
const other = await database.addTenant('beside')

const entry = (id: string, tenantId = tenant) => ({
  tenantId,
  actorId: 'ada',
  requestId: 'a request',
  origin: {
    address: '192.0.2.7',
    agent: 'a client',
    traceparent: `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`,
  },
  entity: 'membership',
  recordId: id,
  action: 'changed',
  before: { role: 'member', note: null },
  after: { role: 'admin', amount: '1.00' },
})

/** What has been sealed when the tampering begins. */
let floor = 0n

async function transaction<T>(client: pg.Client, work: () => Promise<T>, end = 'COMMIT'): Promise<T> {
  await client.query('BEGIN')
  try {
    return await work()
  } finally {
    await client.query(end)
  }
}

/** Seals until a turn that was taken now is below: other databases of the server may hold the horizon back. */
async function seal(floor = 0n): Promise<bigint> {
  const { rows } = await admin.query<{ now: string }>('SELECT pg_current_xact_id()::text AS now')
  const wanted = BigInt(rows[0]?.now ?? 0)
  // Else the rows before a transaction of another database would have a seal of their own.
  const horizon = 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS ended'
  for (let ended = 0n; ended <= wanted; await new Promise((resolve) => setTimeout(resolve, 20)))
    ended = BigInt((await admin.query<{ ended: string }>(horizon)).rows[0]?.ended ?? 0)
  for (let upTo = floor; ; ) {
    const sealed = await transaction(kernel, () => sealAudit(kernel, key, upTo))
    upTo = sealed?.upTo ?? upTo
    if (upTo > wanted) return upTo
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const verify = (of = tenant, anchor?: Anchor) =>
  transaction(kernel, () => verifyAudit(kernel, key, of, anchor && { anchor }))

/** Does it as the superuser, looks, and undoes it. */
const afterTampering = (texts: readonly string[], off?: DefencesOff) =>
  transaction(
    admin,
    async () => {
      let touched = 0
      for (const text of texts) touched += (await admin.query(text)).rowCount ?? 0
      return { touched, ...(await verifyAudit(admin, key, tenant, { floor }, off)) }
    },
    'ROLLBACK',
  )

for (let n = 0; n < 6; n += 1) {
  for (let m = 0; m < 5; m += 1) {
    await transaction(kernel, async () => {
      await writeAudit(kernel, entry(`r${n}.${m}`))
      await writeAudit(kernel, entry(`s${n}.${m}`, m % 2 === 0 ? other : tenant))
    })
  }
  await transaction(kernel, () => writeAudit(kernel, entry('never')), 'ROLLBACK')
  await seal()
}

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
const put = (turn: string) =>
  `INSERT INTO kernel.audit (tenant_id, turn, at, actor, request_id, module, entity, record_id, action)
   VALUES ('${tenant}', ${turn}, '2020-01-01', 'eve', 'r', 'kernel', 'membership', 'x', 'added')`

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
      const { touched, ok, problems } = await afterTampering(texts).catch((error: unknown) => {
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
  t.match(await afterTampering(texts), { ok: false, problems: [/not as they were sealed \(seal \d\)/] })
  t.match(await afterTampering(texts, new Set(['auditSeals'])), { ok: true, problems: [] })
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

await t.test('a sealer that misses its seals says so, and not for a tenant that was erased', async (t) => {
  const { log, lines } = recordingLog()
  const pool = new pg.Pool({ ...access.kernel, max: 2 })
  const sealer = startAuditSealer({ pool, key, log })
  t.teardown(async () => {
    await sealer.close()
    await pool.end()
  })
  const gone = await database.addTenant('gone')
  const sealed = async (of: string) => {
    await writeAudit(kernel, entry('watched', of))
    const { rows } = await admin.query<{ now: string }>('SELECT pg_current_xact_id()::text AS now')
    while (sealer.floor() <= BigInt(rows[0]?.now ?? 0)) await sealer.seal()
  }
  const forget = async (of: string) => {
    await admin.query('DELETE FROM kernel.audit_seal WHERE tenant_id = $1', [of])
    await admin.query('DELETE FROM kernel.audit WHERE tenant_id = $1', [of])
  }
  const missing = /seals of the audit trail are missing/
  await sealed(gone)
  await forget(gone)
  await admin.query('DELETE FROM kernel.tenant WHERE id = $1', [gone])
  const watched = await database.addTenant('watched')
  await sealed(watched)
  t.notMatch(JSON.stringify(lines), missing)
  await forget(watched)
  await sealed(other)
  t.match(JSON.stringify(lines), missing)
  await admin.query("DELETE FROM kernel.audit WHERE record_id = 'watched'")
  await admin.query('DELETE FROM kernel.audit_seal WHERE tenant_id = $1 AND seq > 6', [other])
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

await t.test('no login may change, delete, backdate or purge', async (t) => {
  const fresh = `INSERT INTO kernel.audit (tenant_id, actor, request_id, module, entity, record_id, action`
  const values = `VALUES ('${tenant}', 'eve', 'r', 'm', 'e', 'x', 'create'`
  const attempts = [
    `UPDATE kernel.audit SET actor = 'eve'`,
    'DELETE FROM kernel.audit',
    'TRUNCATE kernel.audit',
    `${fresh}, turn) ${values}, 0)`,
    `${fresh}, at) ${values}, '2020-01-01')`,
    `${fresh}, id) OVERRIDING SYSTEM VALUE ${values}, 1)`,
    `UPDATE kernel.audit_seal SET rows = 1`,
    'DELETE FROM kernel.audit_seal',
    `DELETE FROM kernel.audit_checkpoint`,
    `SELECT kernel.purge_audit('${tenant}', 1)`,
    `INSERT INTO kernel.audit_seal (tenant_id, seq, from_turn, to_turn, rows, first_at, last_at, previous, hash, sealed_at)
     VALUES ('${tenant}', 99, 1, 2, 1, now(), now(), '', '', '2020-01-01')`,
    `CREATE OR REPLACE FUNCTION kernel.audit_offset() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'`,
    'ALTER TABLE kernel.audit ALTER COLUMN turn DROP DEFAULT',
  ]
  for (const login of ['kernel', 'data'] as const) {
    const client = await database.connect(access[login])
    for (const text of attempts) await t.rejects(client.query(text), { code: '42501' }, `${login}: ${text}`)
  }
  await kernel.query(
    `INSERT INTO kernel.audit_checkpoint (tenant_id, seq, to_turn, hash, purged_rows, mac)
     SELECT tenant_id, seq, to_turn, hash, 9, hash FROM kernel.audit_seal WHERE tenant_id = '${other}' AND seq = 3`,
  )
  await t.rejects(
    kernel.query(`SELECT kernel.purge_audit('${other}', 3)`),
    { code: '42501' },
    'nor with a checkpoint',
  )
  await admin.query('DELETE FROM kernel.audit_checkpoint')
})

await t.test('what a plan no longer keeps goes, once, and the rest is still a chain', async (t) => {
  const pool = new pg.Pool({ ...access.kernel, max: 3 })
  t.teardown(() => pool.end())
  t.equal(await purgeAudit(pool, key, () => false), 0, 'nothing is old enough')
  const { anchor: older } = await verify()
  await admin.query('ALTER TABLE kernel.plan DROP CONSTRAINT plan_audit_days_check')
  await admin.query('UPDATE kernel.plan SET audit_days = 0')
  await writeAudit(kernel, entry('kept'))
  await writeAudit(kernel, entry('kept', aboveTenants))
  const rows = await Promise.all([1, 2].map(() => purgeAudit(pool, key, () => false)))
  t.equal((rows[0] ?? 0) + (rows[1] ?? 0), 46 + 18, 'two at once take each row once')
  await admin.query('UPDATE kernel.plan SET audit_days = 90')
  await seal()
  const after = await verify()
  t.match(after, { ok: true, rows: 2, purged: 46, problems: [], anchor: { seq: 10 } })
  t.match(await verify(other), { ok: true, rows: 1, purged: 18 })
  t.match(await verify(aboveTenants), { ok: true, rows: 1, purged: 0 })
  t.match(await verify(tenant, older), { ok: true }, 'the last seal that went is still an anchor')
  const { rows: told } = await admin.query(
    `SELECT actor, action, after->>'rows' AS rows FROM kernel.audit WHERE tenant_id = $1 AND entity = 'audit'`,
    [tenant],
  )
  t.same(told, [{ actor: 'retention', action: 'purged', rows: '46' }])
  t.match(await afterTampering([`UPDATE kernel.audit_checkpoint SET purged_rows = 1`]), {
    problems: [/The checkpoint at seal 9 is not ours/],
  })
  t.match(await afterTampering([put('1')]), { problems: [/put in after the sealing/] })
})

await t.test('turns go on in a database that was restored where transactions are counted anew', async (t) => {
  const owner = await database.connect(access.owner)
  await continueAuditTurns(owner)
  t.match((await admin.query('SELECT kernel.audit_offset() AS offset')).rows, [{ offset: '0' }])
  // As it looks after a restore: the last seal ends far above the present transaction.
  const far = '1000000000000'
  await admin.query(
    `INSERT INTO kernel.audit_seal (tenant_id, seq, from_turn, to_turn, rows, first_at, last_at, previous, hash)
     VALUES ($1, 1, 1, ${far}, 1, now(), now(), '', '')`,
    ['00000000-0000-7000-8000-000000000001'],
  )
  await continueAuditTurns(owner)
  await writeAudit(kernel, entry('restored'))
  const { rows } = await admin.query(
    `SELECT turn >= ${far} AS after FROM kernel.audit WHERE record_id = 'restored'`,
  )
  t.same(rows, [{ after: true }])
  t.match((await verify()).waiting, 1)
})
