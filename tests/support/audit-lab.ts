// A chain of sealed audit rows of one tenant with another beside it, and what tests do to it.
import type pg from 'pg'
import type { Test } from 'tap'
import { auditKey } from '../../kernel/src/audit/audit-digest.ts'
import { sealAudit } from '../../kernel/src/audit/seal-audit.ts'
import { type Anchor, verifyAudit } from '../../kernel/src/audit/verify-audit.ts'
import { writeAudit } from '../../kernel/src/audit/write-audit.ts'
import type { DefencesOff } from '../../kernel/src/defences.ts'
import { testDatabase, testInstallation } from './database.ts'

export async function transaction<T>(client: pg.Client, work: () => Promise<T>, end = 'COMMIT'): Promise<T> {
  await client.query('BEGIN')
  try {
    return await work()
  } finally {
    await client.query(end)
  }
}

/** Six seals: 42 rows of `tenant`, 18 of `other`. */
export async function sealedChain(t: Test) {
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
  const afterTampering = (texts: readonly string[], floor = 0n, off?: DefencesOff) =>
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

  /** A row that no login could have written, at this turn. */
  const put = (turn: string) =>
    `INSERT INTO kernel.audit (tenant_id, turn, at, actor, request_id, module, entity, record_id, action)
     VALUES ('${tenant}', ${turn}, '2020-01-01', 'eve', 'r', 'kernel', 'membership', 'x', 'added')`
  return { database, kernel, key, tenant, other, entry, seal, verify, afterTampering, put }
}
