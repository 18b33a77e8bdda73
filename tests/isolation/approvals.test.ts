// Attacks on approvals through a whole kernel, each with every wall, and again with its wall taken down, when it succeeds.
import t from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import type { Reply } from '../support/kernel.ts'
import { sender } from '../support/kernel.ts'
import { purchaseKernel } from '../support/purchases.ts'
import { type ApprovalPlace, approvalAttacks } from './approval-attacks.fixture.ts'

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

t.test('approvals', async (t) => {
  // Taken down and put up again between attacks: one kernel does for all of them.
  const off = new Set<Defence>()
  const place = await purchaseKernel(t, off)
  const { kernel, tenant } = place
  const [clerk, lead, stranger] = [await place.join(), await place.join(), await place.join('admin')]
  const step = { title: 'A member', approvers: [{ role: 'member' }], need: 1 }
  await place.chain({
    code: 'two',
    rank: 1,
    when: { amount: { currency: 'USD', from: '1000' } },
    steps: [{ ...step, need: 2, approvers: [{ role: 'member' }, { role: 'owner' }] }],
  })
  await place.chain({ code: 'usual', steps: [step] })
  const other = await kernel.openTenant('organisation', 'purchases')
  const made = await lead.send('POST', '/v1/me/keys', {
    name: 'approver',
    scopes: ['tenant.*', 'purchases.*'],
  })
  t.equal(made.status, 201, JSON.stringify(made.body))
  const attacked: ApprovalPlace = {
    ...place,
    clerk,
    lead,
    stranger,
    enemy: other.owner,
    enemyPurchase: await place.buy(other.owner, '10.00'),
    key: sender(kernel.kernel, {
      authorization: `Bearer ${String(made.body['key'])}`,
      'x-tenant-id': tenant.slug,
    }),
  }

  for (const { attack, expected, run, without } of approvalAttacks) {
    await t.test(attack, async (t) => {
      t.match(told(await run(attacked)), expected)
      if (!without) return
      const [wall, success] = without
      off.add(wall)
      t.match(told(await run(attacked)), success, `without ${wall}`)
      off.delete(wall)
    })
  }

  await t.test('no role of a module may read or write approvals', async (t) => {
    const { rows } = await kernel.database.admin.query(
      `SELECT r.rolname, c.relname FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'kernel' AND c.relname LIKE 'approval%' AND r.rolname LIKE '%plugin%'
          AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')`,
    )
    t.same(rows, [])
  })

  await t.test(
    'the login of units of work sees approvals of its tenant alone, and changes no history',
    async (t) => {
      const { admin } = kernel.database
      const { rows } = await admin.query<{ rolname: string }>(
        `SELECT grantee AS rolname FROM information_schema.role_table_grants
        WHERE table_schema = 'kernel' AND table_name = 'approval' AND privilege_type = 'INSERT'
          AND grantee LIKE '%data%'`,
      )
      const role = rows[0]?.rolname ?? ''
      t.ok(role)
      const count = async (set: string) => {
        await admin.query('BEGIN')
        await admin.query(`SET LOCAL ROLE "${role}"`)
        if (set !== '') await admin.query(`SET LOCAL plinth.tenant_id = '${set}'`)
        const found = await admin.query<{ count: number }>(
          'SELECT count(*)::int AS count FROM kernel.approval',
        )
        await admin.query('ROLLBACK')
        return found.rows[0]?.count
      }
      t.equal(await count(''), 0)
      t.equal(await count(other.id), 0)
      t.ok(Number(await count(tenant.id)) > 10)
      for (const statement of [
        "UPDATE kernel.approval_event SET actor = 'x'",
        'DELETE FROM kernel.approval_event',
        'DELETE FROM kernel.approval',
        "UPDATE kernel.approval SET requested_by = 'x'",
        'SELECT * FROM kernel.approval_chain',
        'SELECT * FROM kernel.absence',
      ]) {
        await admin.query('BEGIN')
        await admin.query(`SET LOCAL ROLE "${role}"`)
        await t.rejects(admin.query(statement), { code: '42501' }, statement)
        await admin.query('ROLLBACK')
      }
    },
  )
})
