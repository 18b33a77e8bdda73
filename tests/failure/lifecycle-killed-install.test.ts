// The kernel is killed while it installs or removes a plugin: started again, it goes on where it was.
import t, { type Test } from 'tap'
import { crashLab } from '../support/crash-lab.ts'
import { roleUses } from '../support/database.ts'
import { visits } from '../support/visits.ts'

const name = '@acme/visits'

t.test('killed before a step is noted', async (t) => {
  const lab = await crashLab(t)
  const { database, releases, killedAt, get, post } = lab
  await releases.publish({ name, version: '1.0.0', source: visits('1.0.0') })
  const removal = { confirm: 'visits', force: true }

  async function serves(t: Test): Promise<void> {
    await post('/v1/tenant/modules', { module: 'visits' })
    t.match(await post('/v1/visits/visits', { who: 'Ada' }), { status: 201 })
    t.match(await get('/v1/visits/version'), { status: 200, body: { version: '1.0.0' } })
  }
  async function nothingIsLeft(t: Test): Promise<void> {
    t.match(await get('/v1/visits/version'), { status: 404 })
    const { rows } = await database.admin.query(
      `SELECT (SELECT count(*)::int FROM pg_namespace WHERE nspname = 'plugin_visits') AS schemas,
              ${roleUses} AS rights,
              (SELECT count(*)::int FROM kernel.plugin) AS plugins, (SELECT count(*)::int FROM kernel.plugin_version) AS versions,
              (SELECT count(*)::int FROM kernel.plugin_migration) AS migrations,
              (SELECT count(*)::int FROM kernel.tenant_module) AS modules`,
    )
    t.same(rows, [{ schemas: 0, rights: 0, plugins: 0, versions: 0, migrations: 0, modules: 0 }])
  }

  for (const [install, remove] of [
    ['fetch', 'close'],
    ['migrate', 'drop'],
    ['activate', 'forget'],
  ] as const) {
    await t.test(`an installation, at ${install}`, async (t) => {
      t.match(await killedAt(install, 'install', { package: name }), { state: 'succeeded', error: null })
      await serves(t)
    })
    await t.test(`a removal, at ${remove}`, async (t) => {
      t.match(await killedAt(remove, 'remove', removal), {
        state: 'succeeded',
        error: null,
        data: { receipt: { rows: 1, migrations: 1 }, forgotten: {} },
      })
      await nothingIsLeft(t)
    })
  }

  await t.test('an installation that cannot go on leaves nothing', async (t) => {
    await lab.gate.close('migrate')
    lab.ask('install', { package: name })
    await lab.gate.reached()
    await lab.killed(async () => {
      // What was fetched is no plugin any more when the next process looks at it.
      await database.admin.query(`UPDATE kernel.plugin_version SET bundle = 'throw new Error("spoilt")'`)
      await lab.gate.open()
    })
    t.match(await lab.ended(), { state: 'failed', error: { code: 'PLUGIN_CHANGE_REFUSED' } })
    await nothingIsLeft(t)
  })

  await t.test('nothing is killed but every connection is lost', async (t) => {
    for (const [step, kind, body] of [
      ['activate', 'install', { package: name }],
      ['drop', 'remove', removal],
    ] as const) {
      await lab.gate.close(step)
      lab.ask(kind, body)
      await lab.gate.reached()
      await database.admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'plinth%' AND wait_event_type <> 'Lock'`,
      )
      await lab.gate.open()
      t.match(await lab.ended(), { kind, state: 'succeeded' })
      if (kind === 'install') await serves(t)
    }
    await nothingIsLeft(t)
  })
})
