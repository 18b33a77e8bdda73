// The audit trail against the logins of the kernel, and what its own parts do to it: sealing, purging, being restored.
import pg from 'pg'
import t from 'tap'
import { purgeAudit } from '../../kernel/src/audit/purge-audit.ts'
import { startAuditSealer } from '../../kernel/src/audit/sealer.ts'
import { aboveTenants, writeAudit } from '../../kernel/src/audit/write-audit.ts'
import { continueAuditTurns } from '../../kernel/src/data/bootstrap/audit-turns.ts'
import { sealedChain } from '../support/audit-lab.ts'
import { recordingLog } from '../support/recording-log.ts'

const { database, kernel, key, tenant, other, entry, seal, verify, afterTampering, put } =
  await sealedChain(t)
const { admin, access } = database

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
    const { rows } = await admin.query<{ now: string }>('SELECT pg_current_xact_id()::text AS now')
    // Written again where its own clock was faster: a seal of that moment need not reach beyond it.
    do {
      await writeAudit(kernel, entry('watched', of))
      await sealer.seal()
    } while (sealer.floor() <= BigInt(rows[0]?.now ?? 0))
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
  t.equal((rows[0] ?? 0) + (rows[1] ?? 0), 42 + 18, 'two at once take each row once')
  await admin.query('UPDATE kernel.plan SET audit_days = 90')
  await seal()
  const after = await verify()
  t.match(after, { ok: true, rows: 2, purged: 42, problems: [], anchor: { seq: 7 } })
  t.match(await verify(other), { ok: true, rows: 1, purged: 18 })
  t.match(await verify(aboveTenants), { ok: true, rows: 1, purged: 0 })
  t.match(await verify(tenant, older), { ok: true }, 'the last seal that went is still an anchor')
  const { rows: told } = await admin.query(
    `SELECT actor, action, after->>'rows' AS rows FROM kernel.audit WHERE tenant_id = $1 AND entity = 'audit'`,
    [tenant],
  )
  t.same(told, [{ actor: 'retention', action: 'purged', rows: '42' }])
  t.match(await afterTampering([`UPDATE kernel.audit_checkpoint SET purged_rows = 1`]), {
    problems: [/The checkpoint at seal 6 is not ours/],
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
