// Attacks by webhooks and on the stream of events, each with every wall, and again with its wall taken down, when it
// succeeds.
import t from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { hooksLab } from '../support/hooks-lab.ts'
import { type HookPlace, hookAttacks } from './hook-attacks.fixture.ts'

t.test('webhooks and the stream', async (t) => {
  // Taken down and put up again between attacks: one kernel does for all of them.
  const off = new Set<Defence>()
  // A failure is the last attempt: what is attacked is not tried again.
  const lab = await hooksLab(t, { webhookDelays: [600] }, { off })
  const { url } = await lab.kernel.listen()
  const [tenant, enemy] = [await lab.open(), await lab.open()]
  const member = await lab.join(tenant, 'member')
  const place: HookPlace = { lab, url, tenant, enemy, member }

  for (const { attack, expected, run, without } of hookAttacks) {
    await t.test(attack, async (t) => {
      t.match(JSON.stringify(await run(place)), expected)
      if (!without) return
      const [wall, success] = without
      off.add(wall)
      // What was found out about somebody before is not asked again.
      await tenant.owner('PATCH', '/v1/tenant', { name: wall })
      t.match(JSON.stringify(await run(place)), success, `without ${wall}`)
      off.delete(wall)
      await tenant.owner('PATCH', '/v1/tenant', { name: 'walls up' })
    })
  }

  await t.test('a sealed key that is copied to another tenant signs nothing there', async (t) => {
    const { admin } = lab.database
    const [theirs, own] = [await tenant.hook('from.bank.example'), await enemy.hook('to.bank.example')]
    await admin.query(
      `update kernel.webhook_endpoint set secret = (select secret from kernel.webhook_endpoint where id = $1) where id = $2`,
      [theirs.id, own.id],
    )
    await enemy.ring()
    await new Promise((resolve) => setTimeout(resolve, 700))
    t.equal(lab.receiver.of('to.bank.example').length, 0)
  })

  await t.test(
    'no role of a module reads or writes webhooks, nor does the login of units of work',
    async (t) => {
      const { rows } = await lab.database.admin.query(
        `SELECT r.rolname, c.relname FROM pg_roles r, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'kernel' AND c.relname LIKE 'webhook%' AND c.relkind = 'r'
          AND (r.rolname LIKE '%plugin%' OR r.rolname LIKE '%data') AND r.rolname NOT LIKE 'pg\\_%'
          AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')`,
      )
      t.same(rows, [])
    },
  )
})
