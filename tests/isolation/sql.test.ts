// Attacks by SQL, each through the whole kernel: what it is answered, and that the other tenant has lost nothing and
// told nothing. Then the same with walls taken down: what the walls behind hold, and what nothing holds.
import t, { type Test } from 'tap'
import type { Defence } from '../../kernel/src/defences.ts'
import { tracesIn, zombies } from '../support/aftermath.ts'
import { makeInstallation } from '../support/installation.ts'
import { type Reply, type Send, type TestKernel, testKernel } from '../support/kernel.ts'
import { runSql, sqlPlugins } from '../support/sql-plugins.ts'
import { type SqlAttack, sqlAttacks } from './sql-attacks.ts'

const secret = 'canary-7b1f'

interface Place {
  readonly kernel: TestKernel
  readonly enemy: Send
  readonly enemyId: string
  readonly victim: Send
  readonly victimId: string
  /** Of the victim's record. */
  readonly theirs: string
  readonly root: string
}

async function place(t: Test, off: readonly Defence[] = [], signedTenant = false): Promise<Place> {
  const root = await makeInstallation(t, sqlPlugins)
  const kernel = await testKernel(t, { pluginsRoot: root, signedTenant }, { off: new Set(off) })
  const enemy = await kernel.openTenant('shop', 'desk')
  const victim = await kernel.openTenant('shop', 'desk')
  const { body } = await victim.owner('POST', '/v1/shop/items', { code: secret, stock: 1 })
  await victim.owner('POST', '/v1/desk/items', { code: secret, stock: 1 })
  return {
    kernel,
    enemy: enemy.owner,
    enemyId: enemy.id,
    victim: victim.owner,
    victimId: victim.id,
    theirs: String(body['id']),
    root,
  }
}

function send(
  at: Place,
  { statement, via = 'shop', values = [] }: Pick<SqlAttack, 'statement' | 'via' | 'values'>,
) {
  const texts = typeof statement === 'string' ? [statement] : statement
  const lines = texts.map((text) => ({
    text: text.replaceAll('OTHER', at.victimId).replaceAll('THEIRID', at.theirs).replaceAll('THEIRS', secret),
    values,
  }))
  return runSql(at.enemy, via, lines)
}

/** The victim is served, has what it had, and its record is as it was. */
async function canary(t: Test, at: Place, attack: string): Promise<void> {
  for (const module of ['shop', 'desk']) {
    const { status, body } = await at.victim('GET', `/v1/${module}/items`)
    t.match(
      { status, body },
      { status: 200, body: { items: [{ code: secret, stock: 1, version: 1 }] } },
      attack,
    )
  }
}

/** A statement whose connection was cut goes on until the server looks up from it (docs/security.md). */
async function serverIsQuiet({ kernel }: Place): Promise<boolean> {
  for (let tries = 0; tries < 300; tries += 1) {
    const { rowCount } = await kernel.database.admin.query(
      `select from pg_stat_activity
        where datname = current_database() and application_name = 'plinth-data' and state = 'active'`,
    )
    if (rowCount === 0) return true
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return false
}

const told = ({ status, body }: Reply) => JSON.stringify({ status, body })

t.test('with every wall', async (t) => {
  const at = await place(t)

  await t.test('attacks', async (t) => {
    t.ok(sqlAttacks.length >= 60)
    for (const one of sqlAttacks) {
      const name = `${one.attack}: ${one.statement}`.slice(0, 120)
      await at.enemy('POST', '/v1/shop/items', { code: 'own' })
      const reply = await send(at, one)
      t.match(told(reply), one.expected, name)
      if (!String(one.statement).includes('THEIRS')) t.notMatch(told(reply), secret, name)
      await canary(t, at, name)
      t.equal((await at.enemy('GET', '/v1/shop/items')).status, 200, name)
    }
    t.ok(await serverIsQuiet(at), 'the server has noticed that nobody waits for its bombs')
    t.same(await tracesIn(at.kernel.database.admin), [], 'nothing is left behind')
    t.same(zombies(), [])
  })

  await t.test('every statement that wrote is in the audit trail, with how many rows it wrote', async (t) => {
    const { rows: before } = await at.kernel.database.admin.query('select max(id) as id from kernel.audit')
    await send(at, {
      statement: ["insert into item (code) values ('p'), ('q')", "delete from item where code in ('p', 'q')"],
    })
    const { rows } = await at.kernel.database.admin.query(
      `select module, entity, after from kernel.audit where action = 'sql' and tenant_id = $1 and id > $2 order by id`,
      [at.enemyId, before[0]?.id],
    )
    t.match(rows, [
      { module: 'shop', entity: 'item', after: { statement: /^INSERT INTO plugin_shop.item/, rows: 2 } },
      { module: 'shop', entity: 'item', after: { statement: /^DELETE FROM plugin_shop.item/, rows: 2 } },
    ])
  })

  await t.test(
    'without row-level security a statement that passes the vetting reads everybody',
    async (t) => {
      await at.kernel.database.admin.query('alter table plugin_shop.item disable row level security')
      t.match(told(await send(at, { statement: 'select code from item' })), secret)
    },
  )
})

const becomeOther = ["set local plinth.tenant_id = 'OTHER'", 'select code from plugin_shop.item']

t.test('without the vetting', async (t) => {
  const at = await place(t, ['sqlVetting'])

  await t.test('the database alone still keeps the tenants apart', async (t) => {
    for (const one of sqlAttacks) {
      // Nobody wants to wait for a bomb; and SET is the next test's.
      if (one.defence !== 'vetting' || one.attack === 'a bomb of one call') continue
      if (/set |plinth.tenant_id|reset|discard/.test(String(one.statement))) continue
      const reply = await send(at, one)
      t.notMatch(told(reply), secret, String(one.statement).slice(0, 120))
      await canary(t, at, String(one.statement).slice(0, 120))
    }
  })

  await t.test('but whoever may say SET reads the other tenant', async (t) => {
    t.match(told(await send(at, { statement: becomeOther })), secret)
  })

  await t.test('a plugin that may only read is refused by the database', async (t) => {
    for (const write of [
      'delete from plugin_desk.item',
      'update plugin_desk.item set stock = 2',
      'with x as (delete from plugin_desk.item returning *) select * from x',
    ]) {
      t.match(told(await send(at, { statement: write, via: 'desk' })), /SQL_REFUSED.*25006/, write)
    }
  })
})

t.test('without the vetting and the READ ONLY, who may only read can write', async (t) => {
  const at = await place(t, ['sqlVetting', 'sqlReadOnly'])
  const { body } = await at.enemy('POST', '/v1/desk/items', { code: 'own' })
  t.match(await send(at, { statement: 'delete from plugin_desk.item', via: 'desk' }), { status: 200 })
  t.equal((await at.enemy('GET', `/v1/desk/items/${String(body['id'])}`)).status, 404)
})

t.test('with a signed tenant, and without the vetting', async (t) => {
  const at = await place(t, ['sqlVetting'], true)

  await t.test('a tenant that was set by a statement is an error', async (t) => {
    for (const value of ['OTHER', `OTHER.${'0'.repeat(64)}`, 'OTHER.', "' || 'OTHER"]) {
      const set = `set local plinth.tenant_id = '${value}'`
      for (const next of [
        'select code from plugin_shop.item',
        "insert into plugin_shop.item (code) values ('x')",
      ]) {
        const reply = told(await send(at, { statement: [set, next] }))
        t.match(reply, /SQL_REFUSED/, value)
        t.notMatch(reply, secret, value)
      }
    }
    t.match(
      told(
        await send(at, {
          statement: ["set local plinth.tenant_id = ''", 'select code from plugin_shop.item'],
        }),
      ),
      /"answers":\[\[\],\[\]\]/,
    )
    await canary(t, at, 'signed')
  })

  await t.test('the key cannot be read, and one’s own records can', async (t) => {
    t.match(told(await send(at, { statement: 'select * from kernel.tenant_key' })), /SQL_REFUSED.*42501/)
    await at.enemy('POST', '/v1/shop/items', { code: 'own' })
    t.match(told(await send(at, { statement: 'select code from plugin_shop.item' })), /own/)
  })
})
